"""The GPU benchmark, rehearsed on the CPU with a small model."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from onnx import TensorProto, helper
from PIL import Image

import benchmarks.gpu_timing
from benchmarks import gpu
from benchmarks.gpu_report import picture, table
from benchmarks.gpu_timing import CLICK, CROWD, ENCODE, FROM_RAM, KEPT, Row
from benchmarks.precision import precision
from tests.split import small_model, stored


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Runs the benchmark in a folder, which it gives, with its JSON and its picture."""
    (tmp_path / "published").mkdir()
    manifest = small_model(tmp_path / "published")
    stored(manifest, tmp_path / "published", tmp_path / "cache" / "weights")
    monkeypatch.setattr(benchmarks.gpu_timing, "find_manifest", lambda name, exports: manifest)
    monkeypatch.setattr(benchmarks.gpu_timing, "SIZES", {"2 MP": (192, 108), "12 MP": (400, 300)})
    monkeypatch.setenv("SAMSERVE_CACHE_DIR", str(tmp_path / "cache"))
    files = ["--json", str(tmp_path / "run.json"), "--picture", str(tmp_path / "run.png")]
    asked = ["small", "--provider", "cpu", "--annotators", "1", "3", "--repeats", "4", *files]
    monkeypatch.setattr(sys, "argv", ["gpu", *asked])
    gpu.main()
    return tmp_path


def test_one_command_times_encodes_and_clicks_and_writes_json_and_a_picture(
    capsys: pytest.CaptureFixture[str], run: Path
) -> None:
    rows = [Row(**row) for row in json.loads((run / "run.json").read_text())["rows"]]
    steps = {(row.what, row.size, row.annotators) for row in rows}
    kept = f"{CLICK}, {KEPT}"
    assert {(ENCODE, "12 MP", 1), (f"{CLICK}, {FROM_RAM}", "2 MP", 1), (kept, CROWD, 1), (kept, CROWD, 3)} <= steps
    assert {row.precision for row in rows} == {"fp32"}
    assert all(0 < row.p50 <= row.p95 <= row.p99 and row.per_second > 0 for row in rows)
    with Image.open(run / "run.png") as drawn:
        assert len(drawn.convert("RGB").getcolors(10**6) or []) > 50
    assert "small-" in capsys.readouterr().out


def row(what: str, size: str, annotators: int, ms: float, precision: str = "fp16") -> Row:
    return Row("m", precision, "CUDAExecutionProvider", what, size, annotators, ms, 2 * ms, 3 * ms, 1000 / ms)


def test_the_table_has_one_line_for_each_row() -> None:
    lines = table([row(ENCODE, "2 MP", 1, 4.0), row(f"{CLICK}, {KEPT}", CROWD, 32, 2.5)]).splitlines()
    assert lines[1].split() == ["m", "fp16", "CUDA", "encode", "2", "MP", "1", "4.00", "8.00", "12.00", "250.0"]
    assert len(lines) == 3


def test_the_picture_tells_the_precision() -> None:
    half, whole = (picture([row(ENCODE, "2 MP", 1, 4.0, precision)], "a machine") for precision in ("fp16", "fp32"))
    assert half.tobytes() != whole.tobytes()


@pytest.mark.parametrize(
    ("kinds", "told"),
    [
        ([TensorProto.FLOAT], "fp32"),
        ([TensorProto.FLOAT, TensorProto.FLOAT16], "fp16"),
        ([TensorProto.BFLOAT16, TensorProto.FLOAT], "bf16"),
        ([TensorProto.FLOAT, TensorProto.FLOAT, TensorProto.INT8], "int8"),
    ],
)
def test_the_precision_is_the_coarsest_of_the_weights_wherever_these_lie(
    tmp_path: Path, kinds: Sequence[int], told: str
) -> None:
    weights = [TensorProto(name=f"w{number}", data_type=kind, dims=[2, 2]) for number, kind in enumerate(kinds)]
    weights.append(TensorProto(name="zero_point", data_type=TensorProto.INT8, dims=[1]))
    for tensor in weights:
        tensor.data_location = TensorProto.EXTERNAL
        tensor.external_data.add(key="location", value="not_here.data")
    path = tmp_path / "encoder.onnx"
    path.write_bytes(helper.make_model(helper.make_graph([], "encoder", [], [], weights)).SerializeToString())
    assert precision(path) == told


def test_a_step_that_was_not_timed_leaves_a_gap_in_the_picture() -> None:
    assert picture([row(ENCODE, "2 MP", 1, 4.0), row(f"{CLICK}, {KEPT}", CROWD, 1, 1.0)], "a machine").width > 1000
