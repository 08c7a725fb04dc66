"""What a drawn area asks for: a filled shape is a rough mask, a thin stroke is a row of clicks.

Which prompt SAM follows best was measured: docs/adr/0004-drawn-shapes-as-prompts.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from server.core.geometry import Box, ImageSize, Point
from server.core.prediction import Mask

_GRID = 512  # areas are looked at with their longest side this long: plenty for where to click
_SCRIBBLE_WIDTH = 0.06  # of the image's longest side; a stroke that is nowhere wider is a scribble
_SCRIBBLE_CLICKS = 3


@dataclass(frozen=True, slots=True)
class Shape:
    """A filled area, drawn as the rough extent of one object.

    Attributes:
        box: the area's tight box.
        inside: a point deep in it.
        mask: (H, W) bool in the image's frame.
    """

    box: Box
    inside: Point
    mask: Mask = field(compare=False)


def fill_outline(corners: Sequence[tuple[float, float]], frame: ImageSize) -> Mask:
    """The (H, W) bool inside of a closed polygon of corners in pixels."""
    canvas = np.zeros((frame.height, frame.width), np.uint8)
    # a pixel's centre is at (+0.5, +0.5) in our frame, at (0, 0) in OpenCV's; 4 bits of subpixel
    points = np.round((np.array(corners, np.float64) - 0.5) * 16).astype(np.int32)
    return cv2.fillPoly(canvas, [points], 1, shift=4) > 0


def filled_shape(mask: Mask, box: Box | None = None) -> Shape | None:
    """A drawn area as the rough mask of an object, in the tight box around it unless given; None when it is empty."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not rows.size:
        return None
    tight = Box(float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1))
    return Shape(box or tight, _deep_points(mask, 1)[0], mask)


def is_scribble(mask: Mask) -> bool:
    """Whether a drawn area is a thin stroke rather than a filled shape."""
    depth, _ = _depth(mask)
    return bool(2 * depth.max() < _SCRIBBLE_WIDTH * _GRID)


def scribble_clicks(mask: Mask) -> tuple[Point, ...]:
    """A few clicks along a stroke, well apart; none when it is empty."""
    return _deep_points(mask, _SCRIBBLE_CLICKS) if mask.any() else ()


def without_holes(mask: Mask) -> Mask:
    """A drawn area with its enclosed holes filled: a closed outline means what is inside."""
    contours, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    return cv2.drawContours(np.zeros(mask.shape, np.uint8), contours, -1, 1, cv2.FILLED) > 0


def _depth(mask: Mask) -> tuple[NDArray[np.float32], float]:
    """The distance to the area's edge, in cells of a coarse grid, and how many pixels a cell has."""
    height, width = mask.shape
    scale = max(height, width) / _GRID
    size = (max(1, round(width / scale)), max(1, round(height / scale)))
    coarse = cv2.resize(mask.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0
    padded = np.pad(coarse.astype(np.uint8), 1)  # the image's border is an edge too
    depth: NDArray[np.float32] = cv2.distanceTransform(padded, cv2.DIST_L2, 5)[1:-1, 1:-1].astype(np.float32)
    return depth, scale


def _deep_points(mask: Mask, count: int) -> tuple[Point, ...]:
    """The deepest point of an area that is not empty, then the deep ones that are farthest from those before."""
    depth, scale = _depth(mask)
    rows, columns = np.nonzero(depth >= 0.5 * depth.max())
    cells = np.stack([columns, rows], axis=1)  # (N, 2)
    chosen = [int(depth[rows, columns].argmax())]
    apart = np.full(len(cells), np.inf)
    while len(chosen) < min(count, len(cells)):
        apart = np.minimum(apart, ((cells - cells[chosen[-1]]) ** 2).sum(axis=1))
        chosen.append(int(apart.argmax()))
    height, width = mask.shape
    places = np.minimum((cells[list(dict.fromkeys(chosen))] + 0.5) * scale, (width, height))
    return tuple(Point(x, y) for x, y in places.tolist())
