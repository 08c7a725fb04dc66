"""What crops gain on a large picture: a mosaic of photographs, in which every object is small."""

from itertools import islice

import numpy as np
import pytest

from server.core.geometry import Box, Point
from server.core.prompt import Carving, Prompt
from server.runtime.model import SamModel
from tests.weights.closer import Desk
from tests.weights.mosaic import Picture, mosaics
from tests.weights.robot import Object, click_ious, iou, quality_set, worst_leak

OBJECTS, CLICKS = 6, 3
# mean IoU of every eighth object for its box, and after 1, 2 and 3 clicks; without crops, then with
MEASURED = {False: [0.771, 0.496, 0.627, 0.728], True: [0.892, 0.653, 0.823, 0.901]}
CARVED = 0.910  # with crops, for its box and then one negative click at the deepest leak
TOLERANCE = 0.01


@pytest.fixture(scope="module")
def picture() -> Picture:
    return next(mosaics(quality_set(), 1))


@pytest.fixture(scope="module")
def things(picture: Picture) -> list[Object]:
    return list(islice(picture.objects(), 0, 8 * OBJECTS, 8))


@pytest.mark.weights
def test_small_objects_on_large_images_are_found_better_in_a_crop(
    mobile_sam: SamModel, picture: Picture, things: list[Object]
) -> None:
    desk = Desk(mobile_sam, picture.pixels, picture.name)
    ious: dict[bool, list[list[float]]] = {False: [], True: []}
    for thing in things:
        for crop, found in ious.items():
            found.append([iou(thing, desk.box(thing, crop)), *click_ious(thing, desk.clicks(crop), CLICKS)])
    means = {crop: np.mean(found, axis=0).round(3).tolist() for crop, found in ious.items()}
    assert max(picture.pixels.shape) > 4000
    for crop, measured in MEASURED.items():
        assert np.allclose(means[crop], measured, atol=TOLERANCE), means


@pytest.mark.weights
def test_a_lone_negative_click_is_carved_out_of_the_mask_that_was_found_in_a_crop(
    mobile_sam: SamModel, picture: Picture, things: list[Object]
) -> None:
    desk = Desk(mobile_sam, picture.pixels, picture.name)
    ious: list[float] = []
    for thing in things:
        boxed = desk.ask(Prompt(desk.size, box=Box(*thing.bbox)))
        assert boxed
        leak = worst_leak(thing, boxed.prediction.mask)
        assert leak
        carved = desk.ask(Carving(desk.size, (Point(*leak, positive=False),)))
        assert carved
        assert carved.region_id == boxed.region_id
        ious.append(iou(thing, carved.prediction.mask))
    assert np.mean(ious) == pytest.approx(CARVED, abs=TOLERANCE)
