"""Sizes, points and boxes in pixels: x to the right, y down, (0, 0) the top-left corner of the top-left pixel."""

import math
from dataclasses import dataclass

from server.errors import BadPrompt


@dataclass(frozen=True, slots=True)
class ImageSize:
    """An image's (height, width) in pixels, both at least 1."""

    height: int
    width: int

    def __post_init__(self) -> None:
        if self.height < 1 or self.width < 1:
            raise BadPrompt(f"an image of {self.width} x {self.height} px does not exist")

    @property
    def longest(self) -> int:
        """The longer side in pixels."""
        return max(self.height, self.width)

    def shrunk(self, longest: int) -> "ImageSize":
        """The same shape with its longer side of `longest` px."""
        scale = longest / self.longest
        return ImageSize(max(1, round(self.height * scale)), max(1, round(self.width * scale)))

    @property
    def pixels(self) -> int:
        """The area in pixels."""
        return self.height * self.width


@dataclass(frozen=True, slots=True)
class Point:
    """A click at (x, y); positive says 'this belongs to it', negative 'this does not'."""

    x: float
    y: float
    positive: bool = True

    def __post_init__(self) -> None:
        if not (math.isfinite(self.x) and math.isfinite(self.y)):
            raise BadPrompt(f"a point at ({self.x}, {self.y}) is nowhere: coordinates must be finite")


@dataclass(frozen=True, slots=True)
class Box:
    """An axis-aligned box from its top-left (x1, y1) to its bottom-right (x2, y2), with some area."""

    x1: float
    y1: float
    x2: float
    y2: float

    def __post_init__(self) -> None:
        if not (self.x1 < self.x2 and self.y1 < self.y2):
            raise BadPrompt(f"a box from ({self.x1}, {self.y1}) to ({self.x2}, {self.y2}) has no area")

    @property
    def longest(self) -> float:
        """The longer side in pixels."""
        return max(self.x2 - self.x1, self.y2 - self.y1)


def is_near(low: float, high: float, upper: float) -> bool:
    """Whether [low, high] meets [0, upper], or misses it by half a percent of `upper` at most."""
    slack = 0.005 * upper
    return high >= -slack and low <= upper + slack


def clamp(value: float, upper: float) -> float:
    """`value` moved into [0, upper]."""
    return min(max(value, 0.0), upper)


def rotated_rectangle(x: float, y: float, width: float, height: float, degrees: float) -> list[tuple[float, float]]:
    """The four corners in pixels of a rectangle turned clockwise about its unrotated top-left corner (x, y).

    The frame has y down, as Label Studio's rectangles have; corners come in drawing order from (x, y).
    """
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    across, down = (width * cos, width * sin), (-height * sin, height * cos)
    return [
        (x, y),
        (x + across[0], y + across[1]),
        (x + across[0] + down[0], y + across[1] + down[1]),
        (x + down[0], y + down[1]),
    ]
