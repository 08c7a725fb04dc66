"""What an annotator draws, in px: each as the item that Label Studio sends, and as it is painted on a panel."""

import math
from dataclasses import dataclass
from typing import Any, Protocol

import cv2
import numpy as np
from label_studio_sdk.converter.brush import mask2rle
from numpy.typing import NDArray
from panel import GREEN, Corners, Panel

Size = tuple[int, int]  # width, height of the picture


class Mark(Protocol):
    """Anything that can be drawn."""

    def item(self, size: Size) -> dict[str, Any]:
        """As Label Studio sends it."""

    def paint(self, panel: Panel) -> None:
        """As it looks."""


@dataclass(frozen=True)
class Click:
    """A key point."""

    x: float
    y: float
    positive: bool = True

    def item(self, size: Size) -> dict[str, Any]:
        """As Label Studio sends it."""
        value = {"x": 100 * self.x / size[0], "y": 100 * self.y / size[1], "width": 0.25}
        return _item("KeyPoint", value, size) | {"is_positive": self.positive}

    def paint(self, panel: Panel) -> None:
        """A plus or a minus."""
        panel.click(self.x, self.y, self.positive)


@dataclass(frozen=True)
class Rectangle:
    """A rectangle, turned clockwise about its corner (x, y)."""

    x: float
    y: float
    width: float
    height: float
    rotation: float = 0.0

    def item(self, size: Size) -> dict[str, Any]:
        """As Label Studio sends it."""
        value = {"x": 100 * self.x / size[0], "y": 100 * self.y / size[1], "rotation": self.rotation}
        value |= {"width": 100 * self.width / size[0], "height": 100 * self.height / size[1]}
        return _item("Rectangle", value, size)

    def paint(self, panel: Panel) -> None:
        """Its sides; of a turned one also the three points that it is drawn with."""
        cos, sin = math.cos(math.radians(self.rotation)), math.sin(math.radians(self.rotation))
        along, down = np.array([cos, sin]) * self.width, np.array([-sin, cos]) * self.height
        start = np.array([self.x, self.y])
        ring = np.stack([start, start + along, start + along + down, start + down])
        panel.outline(ring, GREEN, 0)
        panel.corners(ring[:3] if self.rotation else ring[::2], GREEN, 5)


@dataclass(frozen=True)
class Brush:
    """A brush stroke along corners, `thick` px wide; a filled one covers what it encloses too."""

    corners: Corners
    thick: int
    filled: bool = False

    def item(self, size: Size) -> dict[str, Any]:
        """As Label Studio sends it."""
        return _item("Brush", {"format": "rle", "rle": mask2rle(self._mask(size) * np.uint8(255))}, size)

    def paint(self, panel: Panel) -> None:
        """The stroke."""
        panel.paint(self._mask(panel.picture_size), GREEN, 0.6)

    def _mask(self, size: Size) -> NDArray[np.bool_]:
        canvas, corners = np.zeros(size[::-1], np.uint8), np.array(self.corners, np.int32)
        cv2.polylines(canvas, [corners], self.filled, 1, self.thick)
        if self.filled:
            cv2.fillPoly(canvas, [corners], 1)
        return canvas > 0


@dataclass(frozen=True)
class Polygon:
    """A closed polygon."""

    corners: Corners

    def item(self, size: Size) -> dict[str, Any]:
        """As Label Studio sends it."""
        points = [[100 * x / size[0], 100 * y / size[1]] for x, y in self.corners]
        return _item("Polygon", {"points": points, "closed": True}, size)

    def paint(self, panel: Panel) -> None:
        """Its sides and corners."""
        panel.outline(self.corners, GREEN, 0.15)
        panel.corners(self.corners, GREEN, 5)


@dataclass(frozen=True)
class Ellipse:
    """An ellipse around (x, y), turned clockwise."""

    x: float
    y: float
    radii: tuple[float, float]
    rotation: float = 0.0

    def item(self, size: Size) -> dict[str, Any]:
        """As Label Studio sends it."""
        value = {"x": 100 * self.x / size[0], "y": 100 * self.y / size[1], "rotation": self.rotation}
        value |= {"radiusX": 100 * self.radii[0] / size[0], "radiusY": 100 * self.radii[1] / size[1]}
        return _item("Ellipse", value, size)

    def paint(self, panel: Panel) -> None:
        """Its outline."""
        panel.outline(self.ring(), GREEN, 0.15)

    def ring(self) -> list[tuple[float, float]]:
        """Corners close to each other."""
        cos, sin = math.cos(math.radians(self.rotation)), math.sin(math.radians(self.rotation))
        angles = np.linspace(0, 2 * math.pi, 180, endpoint=False)
        around = [(self.radii[0] * math.cos(angle), self.radii[1] * math.sin(angle)) for angle in angles]
        return [(self.x + u * cos - v * sin, self.y + u * sin + v * cos) for u, v in around]


def _item(tool: str, value: dict[str, Any], size: Size) -> dict[str, Any]:
    sizes = {"original_width": size[0], "original_height": size[1], "image_rotation": 0}
    return {"from_name": tool, "to_name": "image", "type": tool.lower(), "value": value} | sizes
