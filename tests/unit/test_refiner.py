"""Which earlier mask a prompt goes on from."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from server.core.context import Gesture
from server.core.embedding import EmbeddingKey, Image, ImageEmbedding
from server.core.geometry import Box, ImageSize, Point
from server.core.look import Look
from server.core.prediction import Mask, MaskPrediction
from server.core.prompt import Carving, Prompt
from server.core.reference import ImageReference
from server.service.refiner import Refiner
from tests.unit.embeddings import key

FRAME = ImageSize(30, 40)
CAT = ImageReference("cat.png", "1")
A, B, C = Point(1, 1), Point(2, 2), Point(3, 3, positive=False)
BOX = Box(5, 5, 9, 9)


class FakeModel:
    """Its masks are numbered; keeps which number each prompt went on from."""

    def __init__(self) -> None:
        self.went_on_from: list[int | None] = []
        self.prompts: list[Prompt] = []
        self.mask = np.zeros((30, 40), bool)

    def key(self, image_sha256: str) -> EmbeddingKey:
        raise AssertionError("a refiner needs no keys")

    def encode(self, image: Image, is_urgent: Callable[[], bool] = lambda: True) -> ImageEmbedding:
        raise AssertionError("a refiner encodes nothing")

    def prepare(self, embedding: ImageEmbedding) -> None:
        raise AssertionError("only opened tasks are prepared")

    def decode(self, embedding: ImageEmbedding, prompt: Prompt) -> MaskPrediction:
        self.prompts.append(prompt)
        self.went_on_from.append(None if prompt.previous is None else int(prompt.previous[0, 0]))
        number = np.full((1, 1), len(self.went_on_from) - 1, np.float32)
        return MaskPrediction(self.mask, 0.5, number)


class Desk:
    def __init__(self) -> None:
        self.model, self.now = FakeModel(), 0.0
        self.masks: list[Mask] = []
        self.key = key("a sha256")
        self.refiner = Refiner(self.model, lambda: self.now)

    def ask(self, *marks: Point | Box, reference: ImageReference = CAT, labels: Sequence[str] = ("Cat",)) -> int | None:
        """The number of the mask that this prompt went on from; its own is one more than the last."""
        points = tuple(mark for mark in marks if isinstance(mark, Point))
        box = next((mark for mark in marks if isinstance(mark, Box)), None)
        self.answer(Prompt(FRAME, points, box), reference, labels)
        return self.model.went_on_from[-1]

    def answer(
        self,
        prompt: Prompt | Carving,
        reference: ImageReference = CAT,
        labels: Sequence[str] = ("Cat",),
        ids: Sequence[str] = (),
        control: str = "kp",
    ) -> str | None:
        """The id of the region that answers the prompt."""
        gesture = Gesture(prompt, "image", control, tuple(labels), item_ids=frozenset(ids))
        embedding = ImageEmbedding(FRAME, {})  # as if read again from disk
        refined = self.refiner.decode(Look(reference, self.key, embedding, embedding), gesture)
        self.masks += [refined.prediction.mask] if refined else []
        return refined.region_id if refined else None

    def answer_square(self, left: int, *points: Point, **more: Any) -> str | None:
        """As `answer`; the mask is 6 x 6 px from (left, 10)."""
        self.model.mask = np.zeros((30, 40), bool)
        self.model.mask[10:16, left : left + 6] = True
        return self.answer(Prompt(FRAME, points), **more)

    def carve(self, *points: Point, **more: Any) -> str | None:
        return self.answer(Carving(FRAME, points), **more)


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_each_further_click_goes_on_from_the_mask_of_those_before(desk: Desk) -> None:
    assert [desk.ask(A), desk.ask(A, B), desk.ask(A, B, C)] == [None, 0, 1]


def test_a_box_may_be_gone_on_from_too(desk: Desk) -> None:
    assert [desk.ask(BOX), desk.ask(A, BOX)] == [None, 0]


def test_the_same_clicks_again_get_the_same_answer(desk: Desk) -> None:
    assert [desk.ask(A), desk.ask(A), desk.ask(A, B), desk.ask(A, B)] == [None, None, 1, 1]


def test_a_click_that_was_moved_starts_anew(desk: Desk) -> None:
    desk.ask(A)
    desk.ask(A, B)
    assert desk.ask(Point(2, 2.5), Point(1.5, 1)) is None


def test_after_a_click_was_deleted_the_clicks_that_are_left_count(desk: Desk) -> None:
    assert [desk.ask(A), desk.ask(A, B), desk.ask(A, B, C), desk.ask(A, C)] == [None, 0, 1, 0]


@pytest.mark.parametrize(
    "other",
    [
        {"reference": ImageReference("dog.png", "1")},
        {"reference": ImageReference("cat.png", "2")},
        {"labels": ["Dog"]},
    ],
    ids=str,
)
def test_other_images_tasks_and_labels_have_nothing_to_do_with_it(desk: Desk, other: dict[str, object]) -> None:
    desk.ask(A)
    assert desk.ask(A, B, **other) is None  # type: ignore[arg-type]


def test_an_image_that_was_replaced_under_its_reference_starts_anew(desk: Desk) -> None:
    desk.ask(A)
    desk.key = key("another sha256")
    assert desk.ask(A, B) is None


def test_two_annotators_on_one_task_go_on_from_their_own_masks(desk: Desk) -> None:
    mine, theirs = A, Point(20, 20)
    assert [desk.ask(mine), desk.ask(theirs), desk.ask(mine, B), desk.ask(theirs, C)] == [None, None, 0, 1]


def test_a_mask_is_forgotten_after_half_an_hour(desk: Desk) -> None:
    desk.ask(A)
    desk.now = 1799
    assert desk.ask(A, B) == 0
    desk.now = 1801
    assert desk.ask(A, C) is None


def test_the_masks_remembered_are_bounded(desk: Desk) -> None:
    for k in range(257):
        desk.ask(Point(k, 0))
    assert desk.ask(Point(0, 0), B) is None
    assert desk.ask(Point(2, 0), B) == 2


def test_a_drawn_mask_is_not_mixed_with_an_earlier_one(desk: Desk) -> None:
    desk.ask(A)
    drawn = Prompt(FRAME, (A, B), BOX, np.ones((30, 40), bool))
    desk.answer(drawn)
    assert desk.model.went_on_from[-1] is None


ON, ON_TOO = Point(12, 12, positive=False), Point(14, 14, positive=False)
BESIDE = Point(16.1, 12, positive=False)


def test_a_negative_click_alone_is_carved_out_of_the_mask_under_it_and_keeps_its_region(desk: Desk) -> None:
    region = desk.answer_square(10, A)
    assert desk.carve(ON) == region
    assert desk.model.prompts[-1] == Prompt(FRAME, (A, ON))
    assert desk.model.went_on_from[-1] == 0


def test_a_second_carving_goes_on_from_the_first(desk: Desk) -> None:
    region = desk.answer_square(10, A)
    assert desk.carve(ON, ids=["1"]) == desk.carve(ON_TOO, ids=["2"]) == region
    assert desk.model.prompts[-1] == Prompt(FRAME, (A, ON, ON_TOO))
    assert desk.model.went_on_from == [None, 0, 1]


def test_the_box_and_the_shape_that_made_a_mask_are_carved_with_it(desk: Desk) -> None:
    desk.model.mask[:] = True
    region = desk.answer(Prompt(FRAME, (A,), BOX, np.ones((30, 40), bool)), control="brush")
    assert desk.carve(ON, control="kp") == region
    assert desk.model.prompts[-1] == Prompt(FRAME, (A, ON), BOX)
    assert desk.model.prompts[-1].drawn is None


def test_a_carving_is_the_models_new_mask_and_may_mend_the_rest(desk: Desk) -> None:
    desk.answer_square(10, A)
    desk.model.mask = np.zeros((30, 40), bool)
    desk.model.mask[:, 14:] = True
    desk.carve(ON)
    assert np.array_equal(desk.masks[-1], desk.model.mask)


def test_a_carving_that_would_leave_nothing_is_not_gone_on_from(desk: Desk) -> None:
    region = desk.answer_square(10, A)
    desk.model.mask = np.zeros((30, 40), bool)
    desk.carve(ON, ids=["1"])
    desk.model.mask = np.ones((30, 40), bool)
    assert desk.carve(ON_TOO, ids=["2"]) == region


def test_a_negative_click_beside_a_mask_asks_for_nothing(desk: Desk) -> None:
    desk.answer_square(10, A)
    assert desk.carve(BESIDE) is None
    assert len(desk.model.prompts) == 1


def test_with_nothing_answered_before_there_is_nothing_to_carve(desk: Desk) -> None:
    assert desk.carve(ON) is None
    assert desk.model.prompts == []


def test_the_mask_under_the_click_is_carved_even_when_a_newer_one_is_beside_it(desk: Desk) -> None:
    under, beside = desk.answer_square(10, A), desk.answer_square(16, B)
    assert under != beside
    assert desk.carve(Point(14, 12, positive=False)) == under


def test_of_two_masks_under_the_click_the_newer_is_carved(desk: Desk) -> None:
    older, newer = desk.answer_square(10, A), desk.answer_square(12, B)
    assert older != newer
    assert desk.carve(Point(14, 12, positive=False)) == newer


def test_a_mask_that_was_refined_since_is_not_carved(desk: Desk) -> None:
    desk.answer_square(10, A)
    refined = desk.answer_square(14, A, B)
    assert desk.carve(Point(11, 12, positive=False)) is None
    assert desk.carve(Point(15, 12, positive=False)) == refined


def test_the_same_carving_again_changes_nothing(desk: Desk) -> None:
    region = desk.answer_square(10, A)
    assert desk.carve(ON, ids=["1"]) == desk.carve(ON, ids=["1"]) == region
    assert desk.model.prompts[-1] == desk.model.prompts[-2]
    assert desk.model.went_on_from == [None, 0, 0]


def test_a_carving_that_was_moved_or_joined_by_another_counts_once(desk: Desk) -> None:
    desk.answer_square(10, A)
    desk.carve(ON, ids=["1"])
    moved = Point(13, 12, positive=False)
    desk.carve(moved, ids=["1"])
    assert desk.model.prompts[-1] == Prompt(FRAME, (A, moved))
    desk.carve(moved, ON_TOO, ids=["1", "2"])
    assert desk.model.prompts[-1] == Prompt(FRAME, (A, moved, ON_TOO))


@pytest.mark.parametrize(
    "other", [{"reference": ImageReference("cat.png", "2")}, {"labels": ["Dog"]}, {"labels": []}], ids=str
)
def test_masks_of_other_tasks_and_labels_are_not_carved(desk: Desk, other: dict[str, Any]) -> None:
    desk.answer_square(10, A)
    assert desk.carve(ON, **other) is None


def test_other_answers_have_regions_of_their_own(desk: Desk) -> None:
    answers = [desk.answer_square(10, A), desk.answer_square(10, A, B), desk.answer_square(10, A)]
    assert len(set(answers)) == 3
