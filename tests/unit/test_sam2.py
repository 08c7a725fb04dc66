"""What the family sam2 asks of the decoder, and what it answers, as SAM2ImagePredictor does."""

import numpy as np
import pytest
from numpy.typing import NDArray

from server.core.geometry import Box, ImageSize, Point
from server.core.prompt import Prompt
from server.models import sam2
from server.models.manifest import Preprocessing

HOW = Preprocessing(64, "square_bilinear_antialias", (0, 0, 0), (1, 1, 1))
SIZE, FRAME = ImageSize(30, 60), ImageSize(300, 600)
CLICK = (Point(300, 75),)
OUTPUTS = {
    "image_embeddings": np.zeros((1, 8, 4, 4), np.float32),
    "high_res_feats_0": np.ones((1, 1, 16, 16), np.float32),
    "high_res_feats_1": np.full((1, 2, 8, 8), 2, np.float32),
}
EMBEDDING = sam2.embedding(SIZE, OUTPUTS)


def stripes(*widths: int) -> NDArray[np.float32]:
    """(1, n, 16, 16) logits, each with so many positive columns on the left."""
    logits = np.full((1, len(widths), 16, 16), -5, np.float32)
    for number, width in enumerate(widths):
        logits[0, number, :, :width] = 5
    return logits


def answered(masks: NDArray[np.float32], prompt: Prompt, ious: tuple[float, ...] = (0.1, 0.4, 0.9, 0.5)) -> int:
    """How many of the mask's columns are positive."""
    outputs = {"low_res_masks": masks, "iou_predictions": np.array([ious], np.float32)}
    prediction = sam2.prediction(outputs, EMBEDDING, prompt, HOW)
    assert prediction.mask.shape == (300, 600)
    return int((prediction.low_res_logits > 0).any(axis=0).sum())


def test_an_embedding_is_three_tensors_by_name() -> None:
    assert {name: tensor.mean() for name, tensor in EMBEDDING.tensors.items()} == {
        "image_embeddings": 0,
        "high_res_feats_0": 1,
        "high_res_feats_1": 2,
    }


def test_both_axes_are_stretched_over_the_input_and_a_padding_point_follows_a_box_too() -> None:
    box = Box(150, 0, 600, 150)
    click, boxed = (
        sam2.decoder_inputs(EMBEDDING, prompt, HOW) for prompt in (Prompt(FRAME, CLICK), Prompt(FRAME, box=box))
    )
    assert click["point_coords"].tolist() == [[[32, 16], [0, 0]]]
    assert click["point_labels"].tolist() == [[1, -1]]
    assert boxed["point_coords"].tolist() == [[[16, 0], [64, 32], [0, 0]]]
    assert boxed["point_labels"].tolist() == [[2, 3, -1]]
    assert click["high_res_feats_1"] is EMBEDDING.tensors["high_res_feats_1"]
    assert not click["has_mask_input"][0]


def test_logits_that_are_fed_back_are_clamped() -> None:
    previous = np.linspace(-100, 100, 256, dtype=np.float32).reshape(16, 16)
    inputs = sam2.decoder_inputs(EMBEDDING, Prompt(FRAME, CLICK, previous=previous), HOW)
    assert inputs["has_mask_input"][0] == 1
    np.testing.assert_array_equal(inputs["mask_input"][0, 0], np.minimum(np.maximum(previous, -32), 32))
    assert previous.max() == 100


def test_a_drawn_mask_is_stretched_as_the_image_is() -> None:
    drawn = np.zeros((300, 600), np.bool_)
    drawn[:, :300] = True
    mask = sam2.decoder_inputs(EMBEDDING, Prompt(FRAME, CLICK, drawn=drawn), HOW)["mask_input"]
    assert mask.shape == (1, 1, 16, 16)
    assert np.sign(mask[0, 0]).tolist() == [[1] * 8 + [-1] * 8] * 16


def test_a_click_alone_gets_a_candidate_and_clearer_prompts_the_single_mask() -> None:
    masks = stripes(3, 4, 5, 6)
    assert answered(masks, Prompt(FRAME, CLICK, choice="predicted")) == 5
    assert answered(masks, Prompt(FRAME, CLICK, choice="largest")) == 6
    assert answered(masks, Prompt(FRAME, box=Box(0, 0, 9, 9))) == 3
    assert answered(masks, Prompt(FRAME, (*CLICK, Point(9, 9, positive=False)))) == 3


@pytest.mark.parametrize(("edge", "columns"), [(0.04, 5), (0.06, 3)])
def test_an_unstable_single_mask_gives_way_to_the_best_candidate(edge: float, columns: int) -> None:
    masks = stripes(3, 4, 5, 6)
    masks[0, 0, :, 3] = -edge  # a column that is in the mask if its threshold is laxer by 0.05, or just not
    assert answered(masks, Prompt(FRAME, box=Box(0, 0, 9, 9))) == columns


def test_an_empty_single_mask_is_stable() -> None:
    assert answered(stripes(0, 4, 5, 6), Prompt(FRAME, box=Box(0, 0, 9, 9))) == 0


def test_a_mask_covers_the_same_share_of_the_image_as_of_the_square() -> None:
    outputs = {"low_res_masks": stripes(8, 8, 8, 8), "iou_predictions": np.ones((1, 4), np.float32)}
    mask = sam2.prediction(outputs, EMBEDDING, Prompt(FRAME, CLICK), HOW).mask
    assert mask[:, :300].all()
    assert not mask[:, 300:].any()
