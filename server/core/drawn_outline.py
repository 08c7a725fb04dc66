"""The outlines of drawn shapes in pixels, from Label Studio's percent."""

import math

from server.core.geometry import ImageSize, clamp, rotated_rectangle
from server.core.items import DrawnValue

Outline = list[tuple[float, float]]  # corners (x, y); the last joins the first

_ELLIPSE_CORNERS = 64


def polygon(value: DrawnValue, frame: ImageSize) -> Outline | None:
    """The corners of a polygon, open or closed; None where `value` is none."""
    if value.points is None or len(value.points) == 0:
        return None
    return [_kept_near(x * frame.width / 100, y * frame.height / 100, frame) for x, y in value.points]


def ellipse(value: DrawnValue, frame: ImageSize) -> Outline | None:
    """Points on an ellipse, turned clockwise about its centre; None where `value` is none."""
    if value.x is None or value.y is None or value.radius_x is None or value.radius_y is None:
        return None
    x, y = value.x * frame.width / 100, value.y * frame.height / 100
    rx, ry = value.radius_x * frame.width / 100, value.radius_y * frame.height / 100
    cos, sin = math.cos(math.radians(value.rotation)), math.sin(math.radians(value.rotation))
    angles = (2 * math.pi * k / _ELLIPSE_CORNERS for k in range(_ELLIPSE_CORNERS))
    around = [(rx * math.cos(angle), ry * math.sin(angle)) for angle in angles]
    return [_kept_near(x + u * cos - v * sin, y + u * sin + v * cos, frame) for u, v in around]


def rectangle(value: DrawnValue, frame: ImageSize) -> Outline | None:
    """The corners of a rectangle, turned clockwise about its top-left one; None where `value` is none."""
    if value.x is None or value.y is None or value.width is None or value.height is None:
        return None
    x, y = value.x * frame.width / 100, value.y * frame.height / 100
    width, height = value.width * frame.width / 100, value.height * frame.height / 100
    return rotated_rectangle(x, y, width, height, value.rotation)


def _kept_near(x: float, y: float, frame: ImageSize) -> tuple[float, float]:
    """(x, y), or the nearest point that is not farther outside the image than its size."""
    return clamp(x + frame.width, 3 * frame.width) - frame.width, clamp(
        y + frame.height, 3 * frame.height
    ) - frame.height
