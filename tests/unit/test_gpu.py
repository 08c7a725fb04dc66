"""What onnxruntime's providers are told about GPUs, and what is told of them."""

from pathlib import Path
from typing import Any

import pytest

from server.environment import read_settings
from server.errors import BadSettings
from server.runtime.gpu import Gpu, with_options
from server.runtime.gpu_versions import gpu_versions
from server.runtime.memory import DeviceFull, telling_when_full
from server.runtime.providers import for_decoder

CUDA, TENSORRT, CPU = "CUDAExecutionProvider", "TensorrtExecutionProvider", "CPUExecutionProvider"


def test_each_provider_is_told_which_gpu_and_the_cpu_nothing() -> None:
    options = dict(with_options([TENSORRT, CUDA, CPU], Gpu(number=3)))
    assert list(options) == [TENSORRT, CUDA, CPU]
    assert (options[TENSORRT]["device_id"], options[CUDA]["device_id"], options[CPU]) == ("3", "3", {})


def test_only_graphs_whose_runs_are_captured_have_cuda_graphs() -> None:
    captured, eager = (dict(with_options([CUDA], Gpu(captured=flag)))[CUDA] for flag in (True, False))
    assert (captured["enable_cuda_graph"], eager["enable_cuda_graph"]) == ("1", "0")


def test_float32_graphs_are_never_rounded_to_fewer_bits() -> None:
    options = dict(with_options([TENSORRT, CUDA], Gpu()))
    assert options[CUDA]["use_tf32"] == "0"
    assert not any("fp16" in name or "int8" in name for name in options[TENSORRT])


def test_tensorrt_keeps_its_engines_and_timings_where_it_is_told(tmp_path: Path) -> None:
    options = dict(with_options([TENSORRT], Gpu(engines=tmp_path)))[TENSORRT]
    assert options["trt_engine_cache_path"] == options["trt_timing_cache_path"] == str(tmp_path)
    assert options["trt_engine_cache_enable"] == options["trt_timing_cache_enable"] == "1"


@pytest.mark.parametrize(("wanted", "decoder"), [("tensorrt", "cuda"), ("cuda", "cuda"), ("auto", "auto")])
def test_tensorrt_never_runs_the_decoder(wanted: str, decoder: str) -> None:
    assert for_decoder(wanted) == decoder


@pytest.mark.parametrize(
    "message",
    [
        "[ONNXRuntimeError] : 1 : FAIL : Failed to allocate memory for requested buffer of size 4194304",
        "CUDA failure 2: out of memory ; GPU=0",
        "Available memory of 10 is smaller than requested bytes of 20",
    ],
)
def test_full_memory_is_told_from_all_else(message: str) -> None:
    with pytest.raises(DeviceFull, match=r"click\.onnx has no room"), telling_when_full("click.onnx"):
        raise RuntimeError(message)


def test_what_is_no_full_memory_goes_through() -> None:
    with pytest.raises(RuntimeError, match="invalid shape"), telling_when_full("click.onnx"):
        raise RuntimeError("invalid shape")


class Libraries:
    """Answers as the shared libraries of a driver do, those that are named."""

    def __init__(self, *names: str) -> None:
        self._names = names

    def __call__(self, name: str) -> Any:
        if not name.startswith(self._names):
            raise OSError(name)
        return self

    def nvmlInit_v2(self) -> int:  # noqa: N802 - its name
        return 0

    def nvmlShutdown(self) -> int:  # noqa: N802
        return 0

    def nvmlSystemGetDriverVersion(self, buffer: Any, length: int) -> int:  # noqa: N802
        buffer.value = b"580.95.05"
        return 0

    def cuDriverGetVersion(self, number: Any) -> int:  # noqa: N802
        number._obj.value = 13010
        return 0

    def cudaRuntimeGetVersion(self, number: Any) -> int:  # noqa: N802
        number._obj.value = 13000
        return 0

    @property
    def cudnnGetVersion(self) -> Any:  # noqa: N802
        class Asked:
            restype: Any = None

            def __call__(self) -> int:
                return 91400

        return Asked()


def test_the_versions_of_driver_cuda_and_cudnn_are_told() -> None:
    versions = gpu_versions(Libraries("lib"))
    told = {name: versions[name] for name in ("driver", "driver_cuda", "cuda", "cudnn")}
    assert told == {"driver": "580.95.05", "driver_cuda": "13.1", "cuda": "13.0", "cudnn": "9.14.0"}


def test_what_is_not_installed_has_no_version() -> None:
    assert set(gpu_versions(Libraries("libcuda.so"))) == {"driver_cuda", "onnxruntime"}


def test_gpus_are_named_by_their_numbers() -> None:
    assert read_settings({"SAMSERVE_GPUS": "1, 0"}).gpus == (1, 0)
    assert read_settings({}).gpus == (0,)


@pytest.mark.parametrize("gpus", ["", "0,0", "-1", "first"])
def test_gpus_that_make_no_sense_stop_the_start(gpus: str) -> None:
    with pytest.raises(BadSettings, match="SAMSERVE_GPUS"):
        read_settings({"SAMSERVE_GPUS": gpus})
