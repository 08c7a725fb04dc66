"""Which of the decoder's masks answers a prompt."""

from typing import get_args

import numpy as np
import pytest
from numpy.typing import NDArray

from server.core.geometry import Box, ImageSize, Point
from server.core.prompt import Choice, Prompt
from server.errors import BadOptions
from server.models.candidates import candidate, chosen

FRAME, CLICK, BOX = ImageSize(8, 8), (Point(4, 4),), Box(1, 1, 5, 5)
MORE = (*CLICK, Point(1, 1, positive=False))
IOUS = np.array([0.99, 0.5, 0.8, 0.7], np.float32)


def masks(*areas: int) -> NDArray[np.float32]:
    """(4, 8, 8) logits of masks with so many pixels."""
    return np.stack([np.where(np.arange(64) < area, 3.0, -3.0).reshape(8, 8) for area in areas]).astype(np.float32)


FOUR = masks(9, 20, 12, 5)


def test_a_click_gets_the_candidate_that_changes_least_with_the_threshold() -> None:
    unsure = FOUR.copy()
    unsure[[1, 2], :, :4] /= 10  # logits of 0.3: off at one threshold, on at the other
    assert chosen(unsure, IOUS, Prompt(FRAME, CLICK)) == 3
    assert chosen(masks(9, 0, 0, 7), IOUS, Prompt(FRAME, CLICK)) == 3


def test_a_box_gets_the_candidate_of_the_best_predicted_iou() -> None:
    assert chosen(FOUR, IOUS, Prompt(FRAME, box=BOX)) == 2


@pytest.mark.parametrize(
    "prompt", [Prompt(FRAME, MORE), Prompt(FRAME, CLICK, BOX)], ids=["clicks", "a click and a box"]
)
def test_more_points_get_the_first_mask(prompt: Prompt) -> None:
    assert chosen(FOUR, IOUS, prompt) == 0


def test_a_click_gets_the_candidate_that_is_asked_for() -> None:
    found = {choice: chosen(FOUR, IOUS, Prompt(FRAME, CLICK, choice=choice)) for choice in get_args(Choice)}
    assert found == {"best": 1, "predicted": 2, "smallest": 3, "largest": 1}


def test_the_smallest_is_never_an_empty_one() -> None:
    assert chosen(masks(9, 20, 12, 0), IOUS, Prompt(FRAME, CLICK, choice="smallest")) == 2


def test_a_click_on_nothing_gets_the_best_predicted_iou_whatever_is_chosen() -> None:
    assert chosen(masks(9, 0, 0, 0), IOUS, Prompt(FRAME, CLICK, choice="smallest")) == 2


@pytest.mark.parametrize(
    "prompt",
    [
        Prompt(FRAME, box=BOX, choice="smallest"),
        Prompt(FRAME, CLICK, drawn=np.ones((8, 8), np.bool_), choice="smallest"),
    ],
    ids=["a box", "a drawn area"],
)
def test_only_a_click_alone_is_ambiguous(prompt: Prompt) -> None:
    assert chosen(FOUR, IOUS, prompt) == 2


def test_a_decoder_that_chose_itself_leaves_nothing_to_choose() -> None:
    assert chosen(FOUR[:1], IOUS[:1], Prompt(FRAME, CLICK)) == 0
    assert chosen(FOUR[:1], IOUS[:1], Prompt(FRAME, MORE, choice="largest")) == 0
    with pytest.raises(BadOptions, match="choose is 'largest', but the stock decoder gives one mask only"):
        chosen(FOUR[:1], IOUS[:1], Prompt(FRAME, CLICK, choice="largest"))


def test_a_family_without_a_first_mask_has_candidates_for_every_prompt() -> None:
    three = FOUR[1:], IOUS[1:]
    assert [candidate(*three, prompt) for prompt in (Prompt(FRAME, CLICK), Prompt(FRAME, MORE))] == [1, 1]
    assert candidate(*three, Prompt(FRAME, CLICK, choice="smallest")) == 2
    assert candidate(*three, Prompt(FRAME, MORE, choice="smallest")) == 1
