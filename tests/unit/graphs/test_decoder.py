"""The graphs that are built of a stock decoder say what it says, for every kind of prompt."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from numpy.typing import NDArray

from server.errors import ModelUnusable
from server.graphs.build import build
from tests.sam_decoder import WIDTH, write_sam_decoder

GRID, INPUT_SIZE = 4, 64
Floats = NDArray[np.float32]
PROMPTS = {
    "a click": [(10.0, 20.0, 1.0), (0.0, 0.0, -1.0)],
    "a box": [(3.0, 4.0, 2.0), (50.0, 40.0, 3.0)],
    "clicks": [(10.0, 20.0, 1.0), (60.0, 5.0, 0.0), (33.0, 31.0, 1.0), (0.0, 0.0, -1.0)],
    "a click and a box": [(10.0, 20.0, 1.0), (3.0, 4.0, 2.0), (50.0, 40.0, 3.0)],
    "many clicks": [(6.0 * k, 60.0 - 5 * k, float(k % 2)) for k in range(10)] + [(0.0, 0.0, -1.0)],
}


def session(graph: bytes | str) -> ort.InferenceSession:
    return ort.InferenceSession(graph, providers=["CPUExecutionProvider"])


class Pair:
    """A stock decoder and the graphs built of it."""

    def __init__(self, stock: Path) -> None:
        rng = np.random.default_rng(5)
        self.stock = session(str(stock))
        self.built = {name: session(graph.content) for name, graph in build(stock).items()}
        self.embedding = rng.normal(size=(1, WIDTH, GRID, GRID)).astype(np.float32)
        image = self.built["image"]
        names = [output.name for output in image.get_outputs()]
        self.image = dict(zip(names, image.run(None, {"image_embeddings": self.embedding}), strict=True))
        self.mask = rng.normal(0, 5, (1, 1, 4 * GRID, 4 * GRID)).astype(np.float32)

    def asked(self, points: list[tuple[float, float, float]]) -> dict[str, Floats]:
        rows = np.array(points, np.float32)
        return {"point_coords": rows[None, :, :2], "point_labels": rows[None, :, 2]}

    def expected(self, points: list[tuple[float, float, float]], with_mask: bool) -> tuple[Floats, float]:
        mask = {"mask_input": self.mask, "has_mask_input": np.array([with_mask], np.float32)}
        feeds = self.asked(points) | mask | {"image_embeddings": self.embedding, "orig_im_size": np.ones(2, np.float32)}
        logits, iou = self.stock.run(["low_res_masks", "iou_predictions"], feeds)
        return logits[0, 0], float(iou[0, 0])

    def answered(self, points: list[tuple[float, float, float]], with_mask: bool) -> tuple[Floats, Floats]:
        graph = self.built["click_with_mask" if with_mask else "click"]
        feeds = self.asked(points) | self.image | ({"mask_input": self.mask} if with_mask else {})
        logits, ious = graph.run(["low_res_masks", "iou_predictions"], feeds)
        return logits[0], ious[0]


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    stock = tmp_path_factory.mktemp("stock") / "decoder.onnx"
    write_sam_decoder(stock, GRID, INPUT_SIZE)
    return Pair(stock)


@pytest.mark.parametrize("with_mask", [False, True], ids=["without a mask", "with a mask"])
@pytest.mark.parametrize("name", PROMPTS)
def test_the_stock_decoders_mask_is_among_the_four(pair: Pair, name: str, with_mask: bool) -> None:
    points = PROMPTS[name]
    logits, iou = pair.expected(points, with_mask)
    all_logits, ious = pair.answered(points, with_mask)
    chosen = 1 + int(ious[1:].argmax()) if len(points) == 2 else 0
    assert np.ptp(logits) > 1  # a mask, not a constant
    np.testing.assert_allclose(all_logits[chosen], logits, atol=2e-4 * np.abs(logits).max())
    assert ious[chosen] == pytest.approx(iou, abs=1e-4)


def test_a_mask_prompt_matters(pair: Pair) -> None:
    without, _ = pair.answered(PROMPTS["a click"], with_mask=False)
    with_mask, _ = pair.answered(PROMPTS["a click"], with_mask=True)
    assert np.abs(without - with_mask).max() > 0.01


def test_a_graph_that_is_no_sam_decoder_is_refused(tmp_path: Path) -> None:
    tensor = onnx.helper.make_tensor_value_info("image_embeddings", onnx.TensorProto.FLOAT, [1, 3, 16, 16])
    graph = onnx.helper.make_graph([], "other", [tensor], [tensor])
    onnx.save(onnx.helper.make_model(graph), str(tmp_path / "other.onnx"))
    with pytest.raises(ModelUnusable, match=r"other\.onnx is no SAM decoder"):
        build(tmp_path / "other.onnx")


def test_a_file_that_is_no_graph_is_refused(tmp_path: Path) -> None:
    (tmp_path / "torn.onnx").write_bytes(b"torn")
    with pytest.raises(ModelUnusable, match=r"torn\.onnx is no ONNX graph"):
        build(tmp_path / "torn.onnx")
