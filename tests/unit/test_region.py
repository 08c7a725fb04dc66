import re

import msgspec
import numpy as np
import pytest
from label_studio_sdk.converter import brush

from server.core.context import Gesture
from server.core.geometry import ImageSize, Point
from server.core.identifier import new_id
from server.core.labelconfig import ControlTag
from server.core.options import AnswerOptions
from server.core.prediction import MaskPrediction
from server.core.prompt import Prompt
from server.core.region import Region, regions

BRUSH = ControlTag("BrushLabels", "brush", ("image",), ("Dog", "Cat"))


def prediction(iou: float = 0.5, filled: bool = True) -> MaskPrediction:
    mask = np.zeros((3, 5), np.bool_)
    mask[1, 2:4] = filled
    return MaskPrediction(mask, iou, np.zeros((256, 256), np.float32))


def gesture(labels: tuple[str, ...] = ("Dog",), item_index: int | None = None, rotation: float = 0.0) -> Gesture:
    prompt = Prompt(ImageSize(3, 5), (Point(2, 1),))
    return Gesture(prompt, "image", "click", labels, item_index, rotation)


def region(answer: MaskPrediction, asked: Gesture, control: ControlTag = BRUSH) -> Region:
    (made,) = regions(answer, "r1", asked, control, AnswerOptions())
    return made


def test_a_region_goes_to_the_brush_and_repeats_what_was_asked() -> None:
    made = region(prediction(), gesture(rotation=90.0))
    assert (made.from_name, made.to_name, made.type, made.origin) == ("brush", "image", "brushlabels", "manual")
    assert (made.original_width, made.original_height, made.image_rotation) == (5, 3, 90.0)


def test_a_regions_mask_reads_back_with_label_studios_decoder() -> None:
    made = region(prediction(), gesture())
    assert made.value["format"] == "rle"
    alpha = brush.decode_rle(made.value["rle"]).reshape(3, 5, 4)[:, :, 3]
    assert alpha.tolist() == [[0, 0, 0, 0, 0], [0, 0, 255, 255, 0], [0, 0, 0, 0, 0]]


def test_an_empty_mask_is_no_region() -> None:
    assert regions(prediction(filled=False), "r1", gesture(), BRUSH, AnswerOptions()) == []


@pytest.mark.parametrize(
    ("asked", "kept"),
    [(("Dog",), ["Dog"]), (("Cat", "Horse", "Dog"), ["Cat", "Dog"])],
)
def test_labels_are_kept_where_the_brush_has_them(asked: tuple[str, ...], kept: list[str]) -> None:
    assert region(prediction(), gesture(asked)).value["brushlabels"] == kept


@pytest.mark.parametrize("asked", [(), ("Horse",)])
def test_a_region_without_a_label_that_the_brush_knows_has_none(asked: tuple[str, ...]) -> None:
    assert set(region(prediction(), gesture(asked)).value) == {"format", "rle"}


def test_a_brush_without_labels_gets_a_region_of_its_own_type() -> None:
    made = region(prediction(), gesture(), ControlTag("Brush", "paint", ("image",), ()))
    assert (made.type, made.from_name, set(made.value)) == ("brush", "paint", {"format", "rle"})


@pytest.mark.parametrize(("iou", "score"), [(-0.2, 0.0), (0.0, 0.0), (0.87, 0.87), (1.03, 1.0), (float("nan"), 0.0)])
def test_the_score_stays_within_what_label_studio_takes(iou: float, score: float) -> None:
    assert region(prediction(iou), gesture()).score == score


def test_only_regions_of_multi_image_tasks_have_an_index() -> None:
    assert b"item_index" not in msgspec.json.encode(region(prediction(), gesture()))
    first = msgspec.json.decode(msgspec.json.encode(region(prediction(), gesture(item_index=0))))
    assert first["item_index"] == 0


def test_new_ids_are_like_the_editors_own() -> None:
    ids = {new_id() for _ in range(500)}
    assert len(ids) == 500
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{10}", name) for name in ids)
