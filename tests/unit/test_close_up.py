"""Which part of a large image is looked at for an object."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.core.close_up import crop_around, extent
from server.core.geometry import Box, ImageSize, Point

LARGE = ImageSize(3000, 4000)


def square(x: float, y: float, side: float) -> Box:
    return Box(x - side / 2, y - side / 2, x + side / 2, y + side / 2)


@st.composite
def boxes(draw: st.DrawFn) -> Box:
    x, y = draw(st.floats(0, 3990)), draw(st.floats(0, 2990))
    return Box(x, y, min(x + draw(st.floats(1, 1500)), 4000), min(y + draw(st.floats(1, 1500)), 3000))


@given(boxes())
def test_a_crop_lies_in_the_image_and_holds_the_object_with_half_its_size_around_it(box: Box) -> None:
    crop = crop_around(box, LARGE)
    if crop is None:
        assert box.longest * 2 * 2**0.5 > 4000 / 2 - 2
        return
    right, bottom = crop.left + crop.size.width, crop.top + crop.size.height
    assert 0 <= crop.left <= box.x1 < box.x2 <= right <= 4000
    assert 0 <= crop.top <= box.y1 < box.y2 <= bottom <= 3000
    assert max(512, 2 * box.longest) <= crop.size.longest <= max(512, 2 * 2**0.5 * box.longest + 1)
    assert crop.size.longest <= 4000 / 2


def test_nearly_the_same_box_has_the_same_crop() -> None:
    crop = crop_around(square(1000, 1000, 200), LARGE)
    assert crop == crop_around(square(1010, 1015, 230), LARGE)
    assert crop != crop_around(square(1100, 1000, 200), LARGE)


@pytest.mark.parametrize(
    ("box", "place"),
    [
        (square(2000, 1500, 100), (1728, 1216, 512, 512)),
        (square(10, 10, 20), (0, 0, 512, 512)),
        (square(3990, 2990, 20), (3488, 2488, 512, 512)),
        (square(2000, 1500, 300), (1629, 1176, 724, 724)),
    ],
    ids=["inside", "in the first corner", "in the last corner", "larger"],
)
def test_a_crops_place_is_known(box: Box, place: tuple[int, int, int, int]) -> None:
    crop = crop_around(box, LARGE)
    assert crop
    assert (crop.left, crop.top, crop.size.width, crop.size.height) == place


def test_on_a_narrow_image_the_crop_is_as_narrow() -> None:
    crop = crop_around(square(2000, 100, 100), ImageSize(300, 4000))
    assert crop
    assert (crop.top, crop.size) == (0, ImageSize(300, 512))


def test_large_objects_and_images_that_are_not_large_have_no_crop() -> None:
    assert crop_around(square(2000, 1500, 900), LARGE) is None
    assert crop_around(square(500, 500, 20), ImageSize(1500, 2047)) is None
    assert crop_around(square(500, 500, 20), ImageSize(1500, 2048)) is not None


def test_the_extent_of_a_coarse_mask_is_in_pixels_of_the_image_and_takes_in_the_clicks() -> None:
    mask = np.zeros((30, 40), bool)
    mask[10:12, 20:25] = True
    assert extent(mask, [Point(2100, 1100)], LARGE) == Box(2000, 1000, 2500, 1200)
    assert extent(mask, [Point(2100, 1100), Point(100, 2000)], LARGE) == Box(99.5, 1000, 2500, 2000.5)
    assert extent(np.zeros((30, 40), bool), [Point(7, 9)], LARGE) == Box(6.5, 8.5, 7.5, 9.5)
