"""What a crop shows of its image, and how its masks come back."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.core.crop import Crop
from server.core.geometry import Box, ImageSize, Point
from server.core.prediction import Mask, MaskPrediction
from server.core.prompt import Prompt
from server.errors import ImageUnavailable

IMAGE = ImageSize(30, 40)
CROP = Crop(10, 5, ImageSize(8, 12), IMAGE)
SHA256 = "ab" * 32


@st.composite
def crops(draw: st.DrawFn) -> Crop:
    height, width = draw(st.integers(1, 40)), draw(st.integers(1, 40))
    left, top = draw(st.integers(0, width - 1)), draw(st.integers(0, height - 1))
    size = ImageSize(draw(st.integers(1, height - top)), draw(st.integers(1, width - left)))
    return Crop(left, top, size, ImageSize(height, width))


def answer(mask: Mask) -> MaskPrediction:
    return MaskPrediction(mask, 0.5, np.zeros((256, 256), np.float32))


@given(crops())
def test_a_mask_comes_back_to_the_pixels_that_were_cut(crop: Crop) -> None:
    shape = (crop.image.height, crop.image.width)
    image = np.random.default_rng(0).integers(1, 256, (*shape, 3), np.uint8)
    part = crop.cut(image)
    assert part.shape == (crop.size.height, crop.size.width, 3)
    marked = part[..., 0] > 100
    full = crop.prediction(answer(marked), crop.image).mask
    expected = np.zeros(shape, bool)
    expected[crop.top : crop.top + crop.size.height, crop.left : crop.left + crop.size.width] = True
    assert np.array_equal(full, expected & (image[..., 0] > 100))


@given(crops(), st.floats(0, 1), st.floats(0, 1))
def test_a_click_points_at_the_same_place_in_the_crop(crop: Crop, across: float, down: float) -> None:
    inside = Point(crop.left + across * crop.size.width, crop.top + down * crop.size.height)
    (point,) = crop.prompt(Prompt(crop.image, (inside,))).points
    assert (point.x, point.y) == pytest.approx((across * crop.size.width, down * crop.size.height))


def test_a_box_and_a_drawn_mask_are_seen_from_the_crop() -> None:
    drawn = np.zeros((30, 40), bool)
    drawn[5, 10] = drawn[12, 21] = drawn[4, 10] = True
    seen = CROP.prompt(Prompt(IMAGE, (Point(12, 6),), Box(11, 5, 20, 13), drawn))
    assert (seen.frame, seen.points, seen.box) == (ImageSize(8, 12), (Point(2, 1),), Box(1, 0, 10, 8))
    assert seen.drawn is not None
    assert np.argwhere(seen.drawn).tolist() == [[0, 0], [7, 11]]


def test_clicks_beside_the_crop_are_left_out() -> None:
    clicks = (
        Point(12, 6),
        Point(9.9, 6, positive=False),
        Point(22, 13, positive=False),
        Point(12, 13.1, positive=False),
    )
    assert CROP.prompt(Prompt(IMAGE, clicks)).points == (Point(2, 1), Point(12, 8, positive=False))


def test_in_a_frame_turned_by_exif_prompts_and_masks_fit_as_the_whole_image_does() -> None:
    """The editor's frame is 40 px high where the upright image has 30."""
    frame = ImageSize(40, 30)
    drawn = np.zeros((40, 30), bool)
    drawn[8:16, 9:15] = True
    seen = CROP.prompt(Prompt(frame, (Point(9, 8),), Box(7.5, 8, 15, 16), drawn))
    assert (seen.points, seen.box) == ((Point(2, 1),), Box(0, 1, 10, 7))
    assert seen.drawn is not None
    assert seen.drawn.shape == (8, 12)
    assert np.array_equal(seen.drawn.any(axis=1), [False, True, True, True, True, True, True, False])
    full = CROP.prediction(answer(np.ones((8, 12), bool)), frame).mask
    rows, columns = np.flatnonzero(full.any(axis=1)), np.flatnonzero(full.any(axis=0))
    assert full.shape == (40, 30)
    assert np.allclose([rows[0], rows[-1] + 1], [5 * 40 / 30, 13 * 40 / 30], atol=1)
    assert np.allclose([columns[0], columns[-1] + 1], [10 * 30 / 40, 22 * 30 / 40], atol=1)


def test_the_score_and_the_logits_stay_the_crops() -> None:
    part = answer(np.ones((8, 12), bool))
    full = CROP.prediction(part, IMAGE)
    assert full.iou_prediction == 0.5
    assert full.low_res_logits is part.low_res_logits


def test_no_two_crops_and_no_image_share_an_identity() -> None:
    others = [
        Crop(1, 11, ImageSize(8, 12), IMAGE),
        Crop(11, 1, ImageSize(8, 12), IMAGE),
        Crop(10, 5, ImageSize(12, 8), IMAGE),
        Crop(0, 0, IMAGE, IMAGE),
    ]
    identities = {crop.identity(SHA256) for crop in (CROP, *others)} | {CROP.identity("cd" * 32), SHA256}
    assert len(identities) == 7
    assert all(len(identity) == 64 and int(identity, 16) for identity in identities)
    assert CROP.identity(SHA256) == Crop(10, 5, ImageSize(8, 12), IMAGE).identity(SHA256)


def test_an_image_that_was_replaced_by_a_smaller_one_is_not_cut() -> None:
    with pytest.raises(ImageUnavailable, match="click again"):
        CROP.cut(np.zeros((20, 20, 3), np.uint8))
