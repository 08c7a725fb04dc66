"""The graph that is written for a TinyViT answers as the stock one does."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from numpy.typing import NDArray

from server.errors import ModelUnusable
from server.graphs.emit import Emitter
from server.graphs.int8 import quantised
from server.graphs.tinyvit.build import build_encoder
from server.graphs.tinyvit.layers import Layers
from server.graphs.tinyvit.windows import windows
from tests.graphs import tiny_model
from tests.tinyvit import write_tinyvit

SIZE = 64
IMAGE = np.random.default_rng(1).normal(size=(1, 3, SIZE, SIZE)).astype(np.float32)


def embedding(graph: bytes | str, rows: int = SIZE, columns: int = SIZE) -> NDArray[np.float32]:
    """Of IMAGE, as far as it has that many rows and columns, by the stock graph or one that was built."""
    session = ort.InferenceSession(graph, providers=["CPUExecutionProvider"])
    image = np.zeros_like(IMAGE)
    image[:, :, :rows, :columns] = IMAGE[:, :, :rows, :columns]
    known = {"image": image, "input": image, "content": np.array([rows, columns], np.float32)}
    output: NDArray[np.float32] = session.run(None, {one.name: known[one.name] for one in session.get_inputs()})[0]
    return output


@pytest.fixture(scope="module")
def stock(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("stock") / "encoder.onnx"
    write_tinyvit(path, SIZE)
    return path


@pytest.mark.parametrize("columns", [64, 40, 39, 1])
@pytest.mark.parametrize("rows", [64, 63, 41, 40, 17, 8, 1])
def test_the_rewritten_graph_is_as_exact_as_the_stock_one(stock: Path, rows: int, columns: int) -> None:
    built = build_encoder(stock, int8=False)
    assert built
    expected, answered = embedding(str(stock), rows, columns), embedding(built.content, rows, columns)
    assert expected.std() > 0.1
    assert np.abs(expected - answered).max() < 1e-4 * np.abs(expected).max()


def test_the_rounded_graph_is_close_and_much_smaller(stock: Path) -> None:
    exact, rounded = build_encoder(stock, int8=False), build_encoder(stock, int8=True)
    assert exact
    assert rounded
    expected, answered = embedding(exact.content), embedding(rounded.content)
    assert 0 < np.linalg.norm(expected - answered) < 0.1 * np.linalg.norm(expected)
    assert len(rounded.content) < 0.8 * len(exact.content)


@pytest.mark.parametrize("zero", [128, 32])
def test_rows_with_scales_of_their_own_are_rounded_more_finely(zero: int) -> None:
    rng = np.random.default_rng(4)
    rows = rng.normal(size=(40, 16)) * np.geomspace(0.01, 10, 40)[:, None]
    rows = np.maximum(rows, -np.abs(rows).max(axis=1, keepdims=True) * zero / 255)  # as negative as there is room for
    weight, bias = rng.normal(size=(16, 8)), rng.normal(size=8)
    e = Emitter()
    layers = Layers(e, int8=True)
    answers = {
        "coarse": (layers.multiply("rows", weight, bias), (40, 8)),
        "fine": (layers.multiply("rows", weight, bias, zero), (40, 8)),
    }
    graph = e.model({"rows": rows.shape}, answers)
    session = ort.InferenceSession(graph.content, providers=["CPUExecutionProvider"])
    exact = rows @ weight
    coarse, fine = (answer - bias - exact for answer in session.run(None, {"rows": rows.astype(np.float32)}))
    shares = np.linalg.norm(fine, axis=1) / np.linalg.norm(exact, axis=1)  # of each row, small or large
    assert 0 < shares.max() < 0.03
    assert np.linalg.norm(coarse[:20]) > 10 * np.linalg.norm(fine[:20])


def test_an_encoder_of_another_kind_is_left_alone(tmp_path: Path) -> None:
    tiny_model(tmp_path)
    assert build_encoder(tmp_path / "encoder.onnx", int8=False) is None


def test_a_tinyvit_that_lacks_a_part_is_refused_by_name(stock: Path, tmp_path: Path) -> None:
    model = onnx.load(str(stock))
    next(node for node in model.graph.node if node.name == "/neck/neck.0/Conv").name = "/head/Conv"
    onnx.save(model, str(tmp_path / "other.onnx"))
    with pytest.raises(ModelUnusable, match=r"other.onnx is no TinyViT as MobileSAM exports it.*neck/neck.0"):
        build_encoder(tmp_path / "other.onnx", int8=False)


def test_a_file_that_is_no_graph_is_refused(tmp_path: Path) -> None:
    (tmp_path / "torn.onnx").write_bytes(b"\xff torn")
    with pytest.raises(ModelUnusable, match=r"torn.onnx is no ONNX graph"):
        build_encoder(tmp_path / "torn.onnx", int8=False)


def test_windows_hold_every_token_once_and_say_where() -> None:
    places = windows(5, 2)
    assert places.tokens.shape == (9, 4)
    assert places.tokens[0].tolist() == [0, 1, 5, 6]
    assert places.tokens[-1].tolist() == [24, 25, 25, 25]  # the last token, and the row after it
    assert np.array_equal(places.tokens.reshape(-1)[places.back], np.arange(25))


def test_rounded_weights_are_within_half_a_step_and_an_empty_column_stays_empty() -> None:
    weight = np.random.default_rng(0).normal(size=(8, 5)) * [1, 10, 0.1, 0, 3]
    rounded, scales = quantised(weight)
    assert np.all(np.abs(rounded * scales - weight) <= scales / 2 + 1e-6)
    assert np.abs(rounded).max(axis=0).tolist() == [127, 127, 127, 0, 127]
