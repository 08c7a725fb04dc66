"""How an annotator would paint an object of the quality set, always the same way for the same object."""

from itertools import pairwise

import cv2
import numpy as np

from server.core.prediction import Mask
from tests.weights.robot import Object


def blob(thing: Object) -> Mask:
    """A sloppy filling: smoothed, too wide or too narrow by about a twentieth of its size, and a little off."""
    rng = np.random.default_rng(int(thing.mask.sum()))
    slip = max(3, int(np.sqrt(thing.mask.sum()) * 0.06))
    smooth = cv2.morphologyEx(thing.mask.astype(np.uint8), cv2.MORPH_CLOSE, _disc(2 * slip + 1))
    change = cv2.dilate if rng.random() < 0.5 else cv2.erode
    off = rng.integers(-slip // 2, slip // 2 + 1, 2)
    painted = np.roll(change(smooth, _disc(slip + 1)), off, (0, 1)) > 0
    return painted if painted.any() else thing.mask


def scribble(thing: Object) -> Mask:
    """A stroke through up to four places well inside, 1 % of the picture wide."""
    depth = cv2.distanceTransform(np.pad(thing.mask.astype(np.uint8), 1), cv2.DIST_L2, 0)[1:-1, 1:-1].copy()
    places: list[tuple[int, int]] = []
    for _ in range(4):
        row, column = np.unravel_index(int(depth.argmax()), depth.shape)
        if depth[row, column] <= 1:
            break
        places.append((int(column), int(row)))
        cv2.circle(depth, places[-1], int(max(6, np.sqrt(thing.mask.sum()) * 0.3)), 0, -1)
    places.sort()
    width = max(2, int(max(thing.mask.shape) * 0.01))
    canvas = np.zeros(thing.mask.shape, np.uint8)
    cv2.circle(canvas, places[0], max(1, width // 2), 1, -1)
    for start, end in pairwise(places):
        cv2.line(canvas, start, end, 1, width)
    return (canvas > 0) & thing.mask


def polygon(thing: Object) -> list[list[float]]:
    """A handful of corners around the object's largest part, in percent of the picture."""
    contours, _ = cv2.findContours(thing.mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    largest = max(contours, key=cv2.contourArea)
    corners = cv2.approxPolyDP(largest, 0.03 * cv2.arcLength(largest, True), True)[:, 0]  # (N, 1, 2) -> (N, 2)
    height, width = thing.mask.shape
    percent: list[list[float]] = ((corners + 0.5) / (width, height) * 100).tolist()
    return percent


def ellipse(thing: Object) -> dict[str, float]:
    """The ellipse with the object's centre and second moments, as an Ellipse region's value."""
    places = np.argwhere(thing.mask)[:, ::-1] + 0.5  # (N, 2): x, y
    x, y = places.mean(axis=0)
    (least, most), axes = np.linalg.eigh(np.cov(places.T, bias=True) + np.eye(2) / 12)  # a pixel is a square
    rotation = np.degrees(np.arctan2(axes[1, 1], axes[0, 1])) % 360
    radii = _in_percent(thing, radiusX=2 * np.sqrt(most), radiusY=2 * np.sqrt(least))
    return _in_percent(thing, x=x, y=y) | radii | {"rotation": float(rotation)}


def three_point_box(thing: Object) -> dict[str, float]:
    """The smallest turned rectangle around the object, as the editor's 3-point tool sends it.

    (x, y) is the corner that it is turned about, clockwise by `rotation` degrees.
    """
    pixels = np.argwhere(thing.mask)[:, ::-1]  # (N, 2): x, y
    corners = np.concatenate([pixels + corner for corner in ((0, 0), (0, 1), (1, 0), (1, 1))]).astype(np.float32)
    (x, y), (across, down), degrees = cv2.minAreaRect(corners)
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    left, top = x - (across * cos - down * sin) / 2, y - (across * sin + down * cos) / 2
    return _in_percent(thing, x=left, y=top, width=across, height=down) | {"rotation": degrees}


def _in_percent(thing: Object, **pixels: float) -> dict[str, float]:
    height, width = thing.mask.shape
    sides = {"x": width, "width": width, "radiusX": width, "y": height, "height": height, "radiusY": height}
    return {name: float(100 * length / sides[name]) for name, length in pixels.items()}


def _disc(size: int) -> cv2.typing.MatLike:
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
