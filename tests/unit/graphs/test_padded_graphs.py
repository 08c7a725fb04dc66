"""A padded graph's answer is the one without the points that fill its input up."""

from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest
from numpy.typing import NDArray

from server.graphs.build import build
from server.models.decoder_graphs import ABSENT
from tests.sam_decoder import WIDTH, write_sam_decoder

GRID, INPUT_SIZE, COUNTS = 4, 64, (2, 4, 8, 16)
Arrays = dict[str, NDArray[np.float32]]


class Graphs:
    """The plain and the padded click graphs of one stock decoder, and one image's tensors."""

    def __init__(self, stock: Path) -> None:
        rng = np.random.default_rng(3)
        self._plain, self._padded = (
            {name: ort.InferenceSession(graph.content) for name, graph in build(stock, padded).items()}
            for padded in (False, True)
        )
        embedding = rng.normal(size=(1, WIDTH, GRID, GRID)).astype(np.float32)
        names = [output.name for output in self._plain["image"].get_outputs()]
        self._image = dict(zip(names, self._plain["image"].run(None, {"image_embeddings": embedding}), strict=True))
        self._mask = {"mask_input": rng.normal(0, 5, (1, 1, 4 * GRID, 4 * GRID)).astype(np.float32)}

    def plain(self, points: Arrays, with_mask: bool) -> tuple[NDArray[np.float32], ...]:
        return self._answer(self._plain, points, with_mask)

    def padded(self, points: Arrays, with_mask: bool) -> tuple[NDArray[np.float32], ...]:
        return self._answer(self._padded, points, with_mask)

    def _answer(
        self, graphs: dict[str, ort.InferenceSession], points: Arrays, with_mask: bool
    ) -> tuple[NDArray[np.float32], ...]:
        feeds = self._image | points | (self._mask if with_mask else {})
        graph = graphs["click_with_mask" if with_mask else "click"]
        return tuple(graph.run(["low_res_masks", "iou_predictions"], feeds))


@pytest.fixture(scope="module")
def graphs(tmp_path_factory: pytest.TempPathFactory) -> Graphs:
    stock = tmp_path_factory.mktemp("stock") / "decoder.onnx"
    write_sam_decoder(stock, GRID, INPUT_SIZE)
    return Graphs(stock)


def asked(count: int, absent: int = 0) -> Arrays:
    """Clicks and a padding point, `count` in all; absent ones follow, at places that must not matter."""
    rng = np.random.default_rng(count)
    places = rng.uniform(0, INPUT_SIZE, (1, count + absent, 2)).astype(np.float32)
    labels = [*(float(k % 2 == 0) for k in range(count - 1)), -1.0, *[ABSENT] * absent]
    return {"point_coords": places, "point_labels": np.array([labels], np.float32)}


def trimmed(points: Arrays, count: int) -> Arrays:
    return {name: tensor[:, :count] for name, tensor in points.items()}


@pytest.mark.parametrize("with_mask", [False, True], ids=["without a mask", "with a mask"])
@pytest.mark.parametrize("count", range(2, 12))  # a click and padding, to ten clicks and padding
def test_absent_points_change_no_answer(graphs: Graphs, count: int, with_mask: bool) -> None:
    filled = asked(count, next(size for size in COUNTS if size >= count) - count)
    (logits, ious), (answered, scores) = (
        graphs.plain(trimmed(filled, count), with_mask),
        graphs.padded(filled, with_mask),
    )
    assert np.ptp(logits) > 1  # a mask, not a constant
    assert np.array_equal(answered > 0, logits > 0)
    np.testing.assert_allclose(answered, logits, atol=1e-4)
    np.testing.assert_allclose(scores, ious, atol=1e-5)


def test_a_padding_point_is_no_absent_one(graphs: Graphs) -> None:
    clicks = asked(3)
    one_more = asked(3, absent=1)
    one_more["point_labels"][0, 3] = -1.0
    (logits, _), (other, _) = graphs.plain(clicks, False), graphs.padded(one_more, False)
    assert np.abs(logits - other).max() > 1e-3


def test_a_padded_graph_without_absent_points_answers_as_the_plain_one(graphs: Graphs) -> None:
    points = asked(5)
    for plain, padded in zip(graphs.plain(points, True), graphs.padded(points, True), strict=True):
        np.testing.assert_allclose(padded, plain, atol=1e-5)
