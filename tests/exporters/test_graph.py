"""Graphs that are too large for one protobuf."""

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from exporters.graph import Tensors, collect, write_graph
from server.errors import ModelUnusable
from server.models.manifest import Graph, GraphFile
from server.runtime.session import Session
from server.weights.store import sha256_of


def written(folder: Path) -> Path:
    """A graph of a linear layer in a folder of its own."""
    torch.manual_seed(0)
    (folder / "whole").mkdir()
    path = folder / "whole" / "graph.onnx"
    write_graph(torch.nn.Linear(64, 64), Tensors({"x": torch.zeros(1, 64)}, ("y",), {"x": {0: "batch"}}), path)
    return path


def answer(path: Path, data: tuple[GraphFile, ...] = ()) -> np.ndarray[tuple[int, ...], np.dtype[np.generic]]:
    graph = Graph(path.name, path.stat().st_size, sha256_of(path), {"x": "x"}, {"y": "y"}, data)
    return Session(path, graph, threads=1, provider="cpu").run({"x": np.ones((2, 64), np.float32)})["y"]


def test_weights_go_into_one_file_beside_a_graph_that_is_too_large(tmp_path: Path) -> None:
    whole = written(tmp_path)
    expected = answer(whole)
    (tmp_path / "apart").mkdir()
    apart = tmp_path / "apart" / "graph.onnx"
    collect(whole, apart, largest=1000)
    assert sorted(path.name for path in apart.parent.iterdir()) == ["graph.onnx", "graph.onnx.data"]
    assert apart.stat().st_size < 2000
    np.testing.assert_array_equal(answer(apart), expected)


def test_weights_in_many_files_are_gathered_in_one(tmp_path: Path) -> None:
    whole = written(tmp_path)
    (tmp_path / "many").mkdir()
    many, expected = tmp_path / "many" / "graph.onnx", answer(whole)
    onnx.save_model(
        onnx.load(str(whole)), str(many), save_as_external_data=True, all_tensors_to_one_file=False, size_threshold=0
    )
    assert len(list(many.parent.iterdir())) == 3
    collect(many, tmp_path / "graph.onnx")
    assert (tmp_path / "graph.onnx.data").stat().st_size >= 64 * 64 * 4
    np.testing.assert_array_equal(answer(tmp_path / "graph.onnx"), expected)


def test_a_graph_without_its_data_is_unusable(tmp_path: Path) -> None:
    collect(written(tmp_path), tmp_path / "graph.onnx", largest=1000)
    (tmp_path / "graph.onnx.data").unlink()
    with pytest.raises(ModelUnusable, match=r"graph\.onnx"):
        answer(tmp_path / "graph.onnx")
