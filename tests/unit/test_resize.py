"""Pixels, points and masks of an image lie in the input where the published code of each family puts them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from numpy.typing import NDArray

from server.core.geometry import ImageSize
from server.core.prediction import Mask
from server.models.manifest import Preprocessing
from server.models.resize import (
    LOGITS_PER_POSITION,
    content,
    image_to_input,
    logits_to_frame,
    mask_to_input,
    points_to_input,
    reached,
)

PADDED = Preprocessing(64, "longest_side_bilinear_antialias", (10, 20, 30), (2, 4, 5))
SQUARE = replace(PADDED, resize="square_bilinear_antialias")
WIDE = ImageSize(100, 300)


def antialiased(line: NDArray[np.float64], length: int) -> NDArray[np.float64]:
    """A row of pixels shrunk: each is the mean of those below a triangle, two new pixels wide."""
    scale = len(line) / length
    centres = (np.arange(length)[:, None] + 0.5) * scale
    weights = np.maximum(0, 1 - np.abs(np.arange(len(line)) + 0.5 - centres) / scale)
    shrunk: NDArray[np.float64] = (weights / weights.sum(axis=1, keepdims=True)) @ line
    return shrunk


def enlarged(logits: NDArray[np.float32], frame: ImageSize) -> Mask:
    """Bilinear with half-pixel centres, edges held, over 0."""
    (rows, to_rows), (columns, to_columns) = (
        _weights(len(axis), count) for axis, count in ((logits, frame.height), (logits.T, frame.width))
    )
    top, bottom = logits[rows], logits[np.minimum(rows + 1, len(logits) - 1)]
    lines = top + (bottom - top) * to_rows[:, None]
    left, right = lines[:, columns], lines[:, np.minimum(columns + 1, logits.shape[1] - 1)]
    mask: Mask = left + (right - left) * to_columns > 0
    return mask


def _weights(cells: int, pixels: int) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    places = np.clip((np.arange(pixels) + 0.5) * cells / pixels - 0.5, 0, cells - 1)
    first = np.floor(places).astype(np.intp)
    return first, places - first


def test_the_longest_side_fills_the_input_or_both_sides_do() -> None:
    assert content(WIDE, 64, PADDED) == ImageSize(21, 64)
    assert content(WIDE, 64, SQUARE) == ImageSize(64, 64)
    assert content(ImageSize(1, 4000), 64, PADDED) == ImageSize(1, 64)


@pytest.mark.parametrize("how", [PADDED, SQUARE], ids=lambda how: how.resize)
def test_pixels_are_resized_then_normalised_and_what_is_left_is_zeros(how: Preprocessing) -> None:
    across = np.linspace(0, 250, WIDE.width) ** 2 / 250
    down = np.linspace(0, 1, WIDE.height)
    image = np.rint(down[:, None, None] * across[:, None] * [1.0, 0.5, 0.25]).astype(np.uint8)
    tensor = image_to_input(image, how)
    size = content(WIDE, 64, how)
    plane = antialiased(down, size.height)[:, None] * antialiased(across, size.width)
    assert tensor.shape == (1, 3, 64, 64)
    for channel, (share, mean, std) in enumerate(zip((1.0, 0.5, 0.25), how.mean, how.std, strict=True)):
        filled = tensor[0, channel, : size.height, : size.width]
        np.testing.assert_allclose(filled, (plane * share - mean) / std, atol=1.6 / std)  # whole numbers, thrice
    assert not tensor[..., size.height :, :].any()
    assert not tensor[..., size.width :].any()


def test_points_go_where_their_pixels_go() -> None:
    points, frame = np.array([(0.0, 0.0), (300.0, 100.0), (600.0, 200.0)]), ImageSize(200, 600)
    np.testing.assert_allclose(
        points_to_input(points, frame, WIDE, PADDED), [(0, 0), (32, 64 / 6), (64, 64 / 3)], rtol=1e-6
    )
    np.testing.assert_allclose(points_to_input(points, frame, WIDE, SQUARE), [(0, 0), (32, 32), (64, 64)], rtol=1e-6)


def test_a_mask_covers_shares_of_pixels_and_nothing_beside_the_image() -> None:
    mask = np.zeros((16, 32), np.bool_)
    mask[:, :18] = True
    padded, square = (mask_to_input(mask, 8, how) for how in (PADDED, SQUARE))
    assert padded.tolist() == [[1, 1, 1, 1, 0.5, 0, 0, 0]] * 4 + [[0] * 8] * 4
    assert square.tolist() == [[1, 1, 1, 1, 0.5, 0, 0, 0]] * 8


@pytest.mark.parametrize("frame", [ImageSize(100, 300), ImageSize(37, 500), ImageSize(9, 5)], ids=str)
def test_the_logits_of_a_square_are_enlarged_straight_to_the_frame(frame: ImageSize) -> None:
    rows, columns = np.mgrid[:16, :16]
    noise = np.random.default_rng(4).normal(0, 0.5, (16, 16))
    logits = (5 - np.hypot(columns - 9, rows - 6) + noise).astype(np.float32)
    expected = enlarged(logits, frame)
    assert 0 < np.count_nonzero(expected) < expected.size
    assert np.count_nonzero(logits_to_frame(logits, WIDE, frame, SQUARE) != expected) <= expected.size // 1000


def test_the_padding_of_an_image_is_not_in_its_masks() -> None:
    logits = np.full((16, 16), -1, np.float32)
    logits[8:] = 1  # below the image, which takes the uppermost third
    assert not logits_to_frame(logits, WIDE, WIDE, PADDED).any()
    assert logits_to_frame(logits, WIDE, WIDE, SQUARE)[60:].all()


def test_without_antialiasing_only_the_nearest_pixels_count() -> None:
    image = np.random.default_rng(2).integers(0, 256, (11, 300, 3), np.uint8)
    tensor = image_to_input(image, replace(SQUARE, resize="square_bilinear"))
    for channel in range(3):
        (rows, down), (columns, across) = (_weights(length, 64) for length in (11, 300))
        plane = image[:, :, channel].astype(np.float64)
        below, right = np.minimum(rows + 1, 10), np.minimum(columns + 1, 299)
        lines = plane[rows] + (plane[below] - plane[rows]) * down[:, None]
        expected = lines[:, columns] + (lines[:, right] - lines[:, columns]) * across
        normalised = (expected - SQUARE.mean[channel]) / SQUARE.std[channel]
        np.testing.assert_allclose(tensor[0, channel], normalised, atol=1e-4)


@pytest.mark.parametrize("how", [PADDED, SQUARE], ids=lambda how: how.resize)
@given(height=st.integers(1, 900), width=st.integers(1, 900), seed=st.integers(0, 99))
@settings(max_examples=200, deadline=None)
def test_a_mask_is_made_of_the_logits_that_are_reached(height: int, width: int, seed: int, how: Preprocessing) -> None:
    how = replace(how, input_size=256)
    size, grid = ImageSize(height, width), 16
    rows, columns = (LOGITS_PER_POSITION * side for side in reached(size, grid, how))
    logits = np.random.default_rng(seed).normal(size=(64, 64)).astype(np.float32)
    others = logits.copy()
    others[rows:], others[:, columns:] = 1000, 1000
    assert np.array_equal(logits_to_frame(logits, size, size, how), logits_to_frame(others, size, size, how))


def test_padding_is_not_reached() -> None:
    how = replace(PADDED, input_size=1024)
    assert reached(ImageSize(480, 640), 64, how) == (49, 64)
    assert reached(ImageSize(1920, 1080), 64, how) == (64, 37)
    assert reached(ImageSize(480, 640), 64, replace(SQUARE, input_size=1024)) == (64, 64)
