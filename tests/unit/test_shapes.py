"""Masks as rectangles and ellipses."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.core.prediction import Mask
from server.core.shapes import ellipse, rectangle
from tests.overlap import overlap
from tests.unit.masks import any_mask, disc


def redrawn(shape: dict[str, float], height: int, width: int) -> Mask:
    radii = shape["radiusX"] * width / 100, shape["radiusY"] * height / 100
    return disc(height, width, shape["x"] * width / 100, shape["y"] * height / 100, radii, shape["rotation"])


@settings(max_examples=100, deadline=None)
@given(any_mask().filter(np.any))
def test_a_rectangle_holds_every_pixel_and_none_too_many(mask: Mask) -> None:
    height, width = mask.shape
    box = rectangle(mask)
    rows, columns = np.nonzero(mask)
    left, top = box["x"] * width / 100, box["y"] * height / 100
    assert (left, top) == pytest.approx((columns.min(), rows.min()))
    assert left + box["width"] * width / 100 == pytest.approx(columns.max() + 1)
    assert top + box["height"] * height / 100 == pytest.approx(rows.max() + 1)


@settings(max_examples=100, deadline=None)
@given(st.floats(8, 40), st.floats(8, 40), st.floats(0, 180), st.floats(60, 140), st.floats(50, 60))
def test_an_ellipse_is_found_again(rx: float, ry: float, degrees: float, x: float, y: float) -> None:
    mask = disc(110, 200, x, y, (rx, ry), degrees)
    assert overlap(redrawn(ellipse(mask), 110, 200), mask) > 0.95


@pytest.mark.parametrize(("drawn_at", "expected"), [(0, 0), (30, 30), (90, 90), (150, 150)])
def test_rotation_is_clockwise_and_the_longer_radius_comes_first(drawn_at: float, expected: float) -> None:
    shape = ellipse(disc(200, 300, 150, 100, (60, 20), drawn_at))
    assert (shape["rotation"] - expected + 90) % 180 - 90 == pytest.approx(0, abs=1)
    assert shape["radiusX"] * 3 == pytest.approx(60, rel=0.02)
    assert shape["radiusY"] * 2 == pytest.approx(20, rel=0.02)


@settings(max_examples=100, deadline=None)
@given(any_mask().filter(np.any))
def test_every_mask_has_an_ellipse_with_some_area_around_a_point_of_the_image(mask: Mask) -> None:
    shape = ellipse(mask)
    assert all(np.isfinite(list(shape.values())))
    assert min(shape["radiusX"], shape["radiusY"]) > 0
    assert 0 < shape["x"] < 100
    assert 0 < shape["y"] < 100
