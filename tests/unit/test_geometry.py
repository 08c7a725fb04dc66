import math

import pytest

from server.core.geometry import Box, ImageSize, Point, clamp, rotated_rectangle
from server.core.prompt import Prompt
from server.errors import BadPrompt

FRAME = ImageSize(600, 800)


def test_a_size_knows_its_longest_side_and_its_area() -> None:
    assert (FRAME.longest, ImageSize(800, 600).longest, FRAME.pixels) == (800, 800, 480_000)


@pytest.mark.parametrize(("height", "width"), [(0, 10), (10, 0), (-1, 10), (10, -5)])
def test_an_image_without_pixels_is_refused_and_named(height: int, width: int) -> None:
    with pytest.raises(BadPrompt, match=f"{width} x {height} px does not exist"):
        ImageSize(height, width)


@pytest.mark.parametrize(("x", "y"), [(math.nan, 1), (1, math.nan), (math.inf, 1), (1, -math.inf)])
def test_a_point_must_be_somewhere(x: float, y: float) -> None:
    with pytest.raises(BadPrompt, match="must be finite"):
        Point(x, y)


@pytest.mark.parametrize("corners", [(5, 1, 5, 9), (1, 5, 9, 5), (9, 1, 1, 9), (1, 9, 9, 1), (math.nan, 1, 9, 9)])
def test_a_box_must_have_an_area(corners: tuple[float, float, float, float]) -> None:
    with pytest.raises(BadPrompt, match="has no area"):
        Box(*corners)


@pytest.mark.parametrize(("value", "clamped"), [(-0.1, 0.0), (0.0, 0.0), (50.5, 50.5), (100.0, 100.0), (1e300, 100.0)])
def test_clamping_moves_a_value_into_its_range(value: float, clamped: float) -> None:
    assert clamp(value, 100.0) == clamped


@pytest.mark.parametrize(
    ("degrees", "corners"),
    [
        (0, [(10, 20), (40, 20), (40, 30), (10, 30)]),
        (90, [(10, 20), (10, 50), (0, 50), (0, 20)]),
        (180, [(10, 20), (-20, 20), (-20, 10), (10, 10)]),
        (270, [(10, 20), (10, -10), (20, -10), (20, 20)]),
        (360, [(10, 20), (40, 20), (40, 30), (10, 30)]),
    ],
)
def test_a_rectangle_turns_clockwise_about_its_top_left_corner(
    degrees: float, corners: list[tuple[float, float]]
) -> None:
    turned = rotated_rectangle(10, 20, 30, 10, degrees)
    assert [pytest.approx(corner) for corner in turned] == corners


def test_a_rectangle_turned_by_an_odd_angle_keeps_its_sides() -> None:
    a, b, c, d = rotated_rectangle(7, 3, 30, 10, 20.483838856406805)
    assert [math.dist(a, b), math.dist(b, c), math.dist(c, d), math.dist(d, a)] == pytest.approx([30, 10, 30, 10])
    assert math.degrees(math.atan2(b[1] - a[1], b[0] - a[0])) == pytest.approx(20.483838856406805)


@pytest.mark.parametrize("points", [(), (Point(1, 1, positive=False),)])
def test_a_prompt_needs_a_positive_point_or_a_box(points: tuple[Point, ...]) -> None:
    with pytest.raises(BadPrompt, match="needs a positive point or a box"):
        Prompt(FRAME, points)
    assert Prompt(FRAME, points, Box(0, 0, 1, 1)).points == points
    assert Prompt(FRAME, (*points, Point(2, 2))).box is None
