"""EfficientSAM gets what it was trained with, and of its candidates the right one is answered."""

import numpy as np
import pytest
from numpy.typing import NDArray

from server.core.embedding import ImageEmbedding
from server.core.geometry import Box, ImageSize, Point
from server.core.prediction import MaskPrediction
from server.core.prompt import Choice, Prompt
from server.models import efficient_sam
from server.models.manifest import Preprocessing

HOW = Preprocessing(1024, "square_bilinear", (120, 110, 100), (60, 55, 50))
SIZE = ImageSize(100, 400)  # height, width
FRAME = ImageSize(200, 800)
EMBEDDING = ImageEmbedding(SIZE, {"image_embeddings": np.ones((1, 256, 64, 64), np.float32)})
CLICK, AWAY = Point(200, 50), Point(600, 50, positive=False)
NOWHERE = [-1.0, -1.0]


def asked(prompt: Prompt) -> tuple[list[list[float]], list[float]]:
    """Coordinates and labels that the decoder gets."""
    inputs = efficient_sam.decoder_inputs(EMBEDDING, prompt, HOW)
    assert set(inputs) == {"image_embeddings", "point_coords", "point_labels"}
    assert {tensor.dtype for tensor in inputs.values()} == {np.dtype(np.float32)}
    return inputs["point_coords"][0].tolist(), inputs["point_labels"][0].tolist()


def test_an_image_is_stretched_over_the_whole_input() -> None:
    tensor = efficient_sam.encoder_inputs(np.full((20, 30, 3), 180, np.uint8), HOW)["image"]
    assert tensor.shape == (1, 3, 1024, 1024)
    np.testing.assert_allclose(tensor[0].reshape(3, -1).T, np.broadcast_to([1, 70 / 55, 1.6], (1024**2, 3)), rtol=1e-6)


def test_a_click_is_scaled_along_each_axis_and_padded_to_six_points() -> None:
    coords, labels = asked(Prompt(FRAME, (CLICK,)))
    assert coords == [[256, 256], *[NOWHERE] * 5]
    assert labels == [1, -1, -1, -1, -1, -1]


def test_a_box_is_two_points_after_the_clicks() -> None:
    coords, labels = asked(Prompt(FRAME, (CLICK,), Box(0, 0, 400, 100)))
    assert coords == [[256, 256], [0, 0], [512, 512], *[NOWHERE] * 3]
    assert labels == [1, 2, 3, -1, -1, -1]


def test_no_click_is_dropped_after_the_sixth() -> None:
    coords, labels = asked(Prompt(FRAME, tuple(Point(100 * k, 10) for k in range(8))))
    assert [x for x, _ in coords] == [128 * k for k in range(8)]
    assert labels == [1] * 8


def test_the_decoder_is_not_asked_about_what_it_was_not_trained_with() -> None:
    plain = Prompt(FRAME, (CLICK,))
    more = Prompt(FRAME, (CLICK, AWAY), drawn=np.ones((200, 800), np.bool_), previous=np.ones((256, 256), np.float32))
    assert asked(plain) == asked(more)


def blocks(*spans: tuple[int, int]) -> NDArray[np.float32]:
    """(1, n, 256, 256) logits of masks from one column to another."""
    columns = np.arange(256)
    rows = [np.where((columns >= first) & (columns < last), 4.0, -4.0) for first, last in spans]
    return np.repeat(np.array(rows, np.float32)[None, :, None], 256, axis=2)


def answer(prompt: Prompt, *ious: float) -> MaskPrediction:
    """Of three candidates: the left quarter, the left half, and all."""
    outputs = {
        "low_res_masks": blocks((0, 64), (0, 128), (0, 256)),
        "iou_predictions": np.array([ious], np.float32),
    }
    return efficient_sam.prediction(outputs, EMBEDDING, prompt, HOW)


def test_the_candidate_with_the_best_predicted_iou_is_answered_in_the_frame() -> None:
    for prompt in (Prompt(FRAME, (CLICK,)), Prompt(FRAME, (CLICK, CLICK, CLICK)), Prompt(FRAME, box=Box(1, 1, 9, 9))):
        found = answer(prompt, 0.7, 0.9, 0.8)
        assert found.mask.shape == (200, 800)
        assert found.mask[:, :399].all()
        assert not found.mask[:, 401:].any()
        assert found.iou_prediction == pytest.approx(0.9)
        assert np.count_nonzero(found.low_res_logits > 0) == 128 * 256


@pytest.mark.parametrize(("choice", "share"), [("best", 0.5), ("predicted", 0.5), ("smallest", 0.25), ("largest", 1.0)])
def test_a_click_may_ask_for_a_size(choice: Choice, share: float) -> None:
    assert answer(Prompt(FRAME, (CLICK,), choice=choice), 0.7, 0.9, 0.8).mask.mean() == pytest.approx(share, abs=0.01)


def test_a_negative_click_rules_out_the_candidates_that_hold_it() -> None:
    inner = Point(300, 50, positive=False)
    assert answer(Prompt(FRAME, (CLICK, AWAY)), 0.7, 0.8, 0.9).mask.mean() == pytest.approx(0.5, abs=0.01)
    assert answer(Prompt(FRAME, (CLICK, AWAY, inner)), 0.7, 0.8, 0.9).mask.mean() == pytest.approx(0.25, abs=0.01)


def test_a_negative_click_that_every_candidate_holds_changes_nothing() -> None:
    edge = Point(0, 200, positive=False)
    assert answer(Prompt(FRAME, (CLICK, edge)), 0.7, 0.8, 0.9).mask.all()
