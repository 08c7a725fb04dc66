"""What a run that had no room took is given back, seen on the CPU's memory."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from server.models.manifest import Graph
from server.runtime.memory import DeviceFull
from server.runtime.session import Session
from server.weights.store import sha256_of

STATM = Path("/proc/self/statm")
ROW = 1 << 20  # numbers


def spreading(path: Path) -> Graph:
    """Writes a graph that repeats a row to the shape `some`, that to the shape `many`, and gives the largest number."""
    nodes = [
        helper.make_node("Expand", ["row", "some"], ["first"]),
        helper.make_node("Expand", ["first", "many"], ["second"]),
        helper.make_node("ReduceMax", ["second"], ["largest"], keepdims=0),
    ]
    shapes = [helper.make_tensor_value_info(name, TensorProto.INT64, [3]) for name in ("some", "many")]
    row = helper.make_tensor_value_info("row", TensorProto.FLOAT, [1, 1, ROW])
    largest = helper.make_tensor_value_info("largest", TensorProto.FLOAT, [])
    graph = helper.make_graph(nodes, "spreading", [row, *shapes], [largest])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), str(path))
    inputs = {name: name for name in ("row", "some", "many")}
    return Graph(path.name, path.stat().st_size, sha256_of(path), inputs, {"largest": "largest"})


def resident() -> int:
    """MiB of this process."""
    return int(STATM.read_text().split()[1]) * 4096 >> 20


@pytest.mark.skipif(not STATM.exists(), reason="only Linux tells how much memory a process has")
def test_what_a_run_without_room_took_is_given_back_after_the_next_one(tmp_path: Path) -> None:
    graph = spreading(tmp_path / "spreading.onnx")
    session = Session(tmp_path / graph.file, graph, threads=1)
    row = np.full((1, 1, ROW), 7, np.float32)

    def largest(some: int, many: int) -> float:
        shapes = {"some": np.array([1, some, ROW]), "many": np.array([many, some, ROW])}
        return float(session.run({"row": row, **shapes})["largest"])

    assert largest(1, 1) == 7
    before = resident()
    with pytest.raises(DeviceFull, match=r"spreading\.onnx has no room"):
        largest(48, 1 << 20)  # 192 MiB, then as many TiB
    assert resident() > before + 150
    assert largest(1, 1) == 7
    assert resident() < before + 50
