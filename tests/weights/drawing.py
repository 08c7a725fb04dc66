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


def _disc(size: int) -> cv2.typing.MatLike:
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
