"""A real graph that takes as much memory as it is asked to."""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper

from server.models.manifest import Graph
from server.runtime.session import Session
from server.weights.store import sha256_of

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


def spread(session: Session, some: int, many: int) -> float:
    """Takes `some`, then `some * many` times 4 MiB; gives 7."""
    shapes = {"some": np.array([1, some, ROW]), "many": np.array([many, some, ROW])}
    return float(session.run({"row": np.full((1, 1, ROW), 7, np.float32), **shapes})["largest"])
