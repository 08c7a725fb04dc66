"""Masks as polygons: OpenCV fills them again, Shapely says whether they are valid."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from shapely.geometry import Polygon

from server.core.outline import area, outlines
from server.core.polygon import polygons
from server.core.prediction import Mask
from server.core.simple import is_simple
from tests.overlap import overlap
from tests.unit.masks import any_mask, rasterise, smooth_mask, without_holes


def to_percent(mask: Mask) -> list[list[tuple[float, float]]]:
    height, width = mask.shape
    return [[(100 * x / width, 100 * y / height) for x, y in ring.tolist()] for ring in outlines(mask)]


@settings(max_examples=200, deadline=None)
@given(any_mask())
def test_outlines_enclose_exactly_the_masks_pixels_and_its_holes(mask: Mask) -> None:
    assert (rasterise(to_percent(mask), *mask.shape) == without_holes(mask)).all()


@settings(max_examples=200, deadline=None)
@given(any_mask())
def test_outlines_are_valid_rings_that_do_not_overlap(mask: Mask) -> None:
    rings = outlines(mask)
    assert all(Polygon(ring).is_valid and is_simple(ring) for ring in rings)
    assert [area(ring) for ring in rings] == sorted((Polygon(ring).area for ring in rings), reverse=True)
    assert sum(map(area, rings)) == without_holes(mask).sum()


@settings(max_examples=200, deadline=None)
@given(any_mask(), st.floats(0, 20))
@example(np.ones((1, 11), bool), 0.0)  # 11 * (100 / 11) is more than 100
def test_polygons_are_valid_within_the_image_and_as_close_as_the_tolerance_says(mask: Mask, tolerance: float) -> None:
    height, width = mask.shape
    exact = outlines(mask)
    rings = polygons(mask, tolerance)
    assert bool(rings) == mask.any()
    for outline, ring in zip(exact, rings, strict=False):
        points = np.array(ring)
        assert points.min() >= 0
        assert points.max() <= 100
        polygon = Polygon(points * (width / 100, height / 100))
        assert polygon.is_valid
        assert Polygon(points).is_valid
        assert polygon.exterior.hausdorff_distance(Polygon(outline).exterior) <= max(tolerance, 1e-6) + 1e-6


@settings(max_examples=60, deadline=None)
@given(smooth_mask())
def test_simplified_polygons_fill_nearly_the_same_pixels(mask: Mask) -> None:
    filled = without_holes(mask)
    assert overlap(rasterise(to_percent(mask), *mask.shape), filled) == 1
    simplified = rasterise(polygons(mask, 1.0), *mask.shape)
    outline = sum(Polygon(ring).length for ring in outlines(mask))
    assert (simplified ^ filled).sum() <= 0.5 * outline + 16 * len(outlines(mask))


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=3, max_size=9))
def test_rings_that_meet_themselves_are_known_as_shapely_knows_them(corners: list[tuple[int, int]]) -> None:
    ring = np.array(corners, np.int32)
    repeats = bool((ring == np.roll(ring, -1, 0)).all(1).any())
    assert is_simple(ring) == (not repeats and Polygon(corners).is_valid and Polygon(corners).area > 0)


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 7), (5, 3)])
def test_a_block_of_pixels_is_covered_to_its_edges(height: int, width: int) -> None:
    mask = np.zeros((10, 20), bool)
    mask[4 : 4 + height, 5 : 5 + width] = True
    (ring,) = polygons(mask, 1.0)
    x1, x2, y1, y2 = 25.0, (5 + width) * 5.0, 40.0, (4 + height) * 10.0
    assert sorted(ring) == [(x1, y1), (x1, y2), (x2, y1), (x2, y2)]


def test_parts_are_rings_of_their_own_largest_first_and_crumbs_are_left_out() -> None:
    mask = np.zeros((100, 100), bool)
    mask[10:14, 10:14] = True
    mask[40:90, 40:90] = True
    mask[60, 60] = False  # a hole
    mask[5, 80:90] = True  # a crumb
    large, small = polygons(mask, 0)
    assert set(large) == {(40, 40), (90, 40), (90, 90), (40, 90)}
    assert set(small) == {(10, 10), (14, 10), (14, 14), (10, 14)}


def test_a_mask_of_one_crumb_is_still_answered() -> None:
    mask = np.zeros((100, 100), bool)
    mask[5, 80:83] = True
    assert len(polygons(mask, 1.0)) == 1
