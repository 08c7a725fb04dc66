"""Which earlier mask a prompt goes on from."""

from collections.abc import Sequence

import numpy as np
import pytest

from server.core.context import Gesture
from server.core.embedding import EmbeddingKey, Image, ImageEmbedding
from server.core.geometry import Box, ImageSize, Point
from server.core.prediction import MaskPrediction
from server.core.prompt import Prompt
from server.core.reference import ImageReference
from server.service.refiner import Refiner

FRAME = ImageSize(30, 40)
CAT = ImageReference("cat.png", "1")
A, B, C = Point(1, 1), Point(2, 2), Point(3, 3, positive=False)
BOX = Box(5, 5, 9, 9)


class FakeModel:
    """Its masks are numbered; keeps which number each prompt went on from."""

    def __init__(self) -> None:
        self.went_on_from: list[int | None] = []

    def key(self, image_sha256: str) -> EmbeddingKey:
        raise AssertionError("a refiner needs no keys")

    def encode(self, image: Image) -> ImageEmbedding:
        raise AssertionError("a refiner encodes nothing")

    def decode(self, embedding: ImageEmbedding, prompt: Prompt) -> MaskPrediction:
        self.went_on_from.append(None if prompt.previous is None else int(prompt.previous[0, 0]))
        number = np.full((1, 1), len(self.went_on_from) - 1, np.float32)
        return MaskPrediction(np.zeros((30, 40), bool), 0.5, number)


class Desk:
    def __init__(self) -> None:
        self.model, self.now = FakeModel(), 0.0
        self.embedding = ImageEmbedding(FRAME, {})
        self.refiner = Refiner(self.model, lambda: self.now)

    def ask(self, *marks: Point | Box, reference: ImageReference = CAT, labels: Sequence[str] = ("Cat",)) -> int | None:
        """The number of the mask that this prompt went on from; its own is one more than the last."""
        points = tuple(mark for mark in marks if isinstance(mark, Point))
        box = next((mark for mark in marks if isinstance(mark, Box)), None)
        gesture = Gesture(Prompt(FRAME, points, box), "image", "kp", tuple(labels))
        self.refiner.decode(self.embedding, reference, gesture)
        return self.model.went_on_from[-1]


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
    desk.embedding = ImageEmbedding(FRAME, {})
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
    desk.refiner.decode(desk.embedding, CAT, Gesture(drawn, "image", "kp", ("Cat",)))
    assert desk.model.went_on_from[-1] is None
