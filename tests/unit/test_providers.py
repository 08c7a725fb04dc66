"""Which execution provider runs, and what is said when it is not the one that was asked for."""

from pathlib import Path

import onnxruntime as ort
import pytest

from server.errors import ModelUnusable
from server.runtime.model import SamModel
from server.runtime.providers import AUTO, find_libraries, offered, refusal, why_not
from tests.graphs import tiny_model

CPU = "CPUExecutionProvider"
GPU_BUILD = ["TensorrtExecutionProvider", "CUDAExecutionProvider", "CPUExecutionProvider"]
CPU_BUILD = "CUDAExecutionProvider" not in ort.get_available_providers()
only_cpu_build = pytest.mark.skipif(not CPU_BUILD, reason="is about the CPU build of onnxruntime; this is another")


@only_cpu_build
@pytest.mark.parametrize("wanted", ["cuda", "tensorrt"])
def test_a_start_that_asks_for_a_gpu_fails_where_there_is_none_and_names_the_way_out(
    tmp_path: Path, wanted: str
) -> None:
    with pytest.raises(ModelUnusable, match=rf"SAMSERVE_PROVIDER is {wanted}.*install onnxruntime-gpu"):
        SamModel(tiny_model(tmp_path), tmp_path, 1, wanted).warm_up()


@pytest.mark.parametrize("wanted", ["cpu", AUTO])
def test_the_cpu_runs_where_it_is_wanted_or_all_there_is(tmp_path: Path, wanted: str) -> None:
    model = SamModel(tiny_model(tmp_path), tmp_path, 1, wanted)
    assert model.provider == (offered(wanted)[0] if refusal(wanted, CPU) else CPU)


def test_auto_says_so_when_there_is_a_driver_and_the_cpu_runs() -> None:
    assert refusal(AUTO, "CPUExecutionProvider", loads=lambda name: name == "libcuda.so.1")
    assert refusal(AUTO, "CPUExecutionProvider", loads=lambda _: False) is None
    assert refusal(AUTO, "CUDAExecutionProvider", loads=lambda _: True) is None
    assert refusal("cpu", "CPUExecutionProvider", loads=lambda _: True) is None


@pytest.mark.parametrize(
    ("provider", "there", "told"),
    [
        ("CUDAExecutionProvider", [], "no NVIDIA driver"),
        ("CUDAExecutionProvider", ["libcuda.so.1"], "libcudnn.so.9"),
        ("CUDAExecutionProvider", ["libcuda.so.1", "libcudart", "libcublasLt"], "libcudnn.so.9 cannot be loaded"),
        ("TensorrtExecutionProvider", ["libcuda.so.1", "libcu"], "libnvinfer.so.10 cannot be loaded"),
        ("CUDAExecutionProvider", ["lib"], "its messages above say why"),
    ],
)
def test_what_is_missing_is_named(provider: str, there: list[str], told: str) -> None:
    assert told in why_not(provider, GPU_BUILD, lambda name: any(name.startswith(known) for known in there))


@only_cpu_build
def test_tensorrt_is_never_chosen_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ort, "get_available_providers", lambda: GPU_BUILD)
    assert offered(AUTO) == ["CUDAExecutionProvider", "CPUExecutionProvider"]
    assert offered("tensorrt") == GPU_BUILD


def test_cuda_that_pip_installed_is_looked_for_where_there_is_a_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[bool] = []
    monkeypatch.setattr(ort, "preload_dlls", lambda: looked.append(True))
    find_libraries([CPU], lambda _: True)
    find_libraries(GPU_BUILD, lambda _: False)
    assert not looked
    find_libraries(GPU_BUILD, lambda _: True)
    assert looked
