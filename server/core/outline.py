"""The exact outlines of a mask's parts, along the edges of their pixels.

OpenCV's contours run through pixel centres, half a pixel inside. Here a ring runs through pixel corners, so that it
encloses the pixels whole, and with neither holes nor parts that touch at a corner only, it never meets itself.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from server.core.prediction import Mask
from server.core.shape import without_holes

Ring = NDArray[np.int32]  # (N, 2): corners (x, y) in px, clockwise as seen, the first not repeated


def outlines(mask: Mask) -> list[Ring]:
    """One ring around each part, largest first; holes are filled, and parts that touch at a corner only are two."""
    if not mask.any():
        return []
    left, top, width, height = cv2.boundingRect(mask.view(np.uint8))
    corners, successor = _corners(without_holes(mask[top : top + height, left : left + width]))
    rings = [corners[ring] + np.array([left, top], np.int32) for ring in _cycles(successor)]
    return sorted(rings, key=area, reverse=True)


def area(ring: NDArray[np.int32]) -> float:
    """The area in square px that a ring encloses."""
    x, y = ring.astype(np.int64).T
    return abs(float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1)))) / 2


def _corners(mask: Mask) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """All corners (x, y), and for each the index of the one after the next: along its row, then along its column.

    Where two pixels meet in a corner only, there are two corners, one for each pixel. In a row, every two corners
    bound an edge, and so they do in a column. An edge with the mask below it is walked to the right, any other to the
    left: half of all corners are where such an edge begins, and only these have a successor (others have -1).
    """
    padded = np.pad(mask, 1)
    nw, ne, sw, se = padded[:-1, :-1], padded[:-1, 1:], padded[1:, :-1], padded[1:, 1:]
    twice = (nw == se) & (ne == sw) & (nw != ne)
    y, x = np.nonzero((nw ^ ne ^ sw ^ se) | twice)  # row by row
    copies = 1 + twice[y, x]
    y, x = np.repeat(y, copies), np.repeat(x, copies)
    index = np.arange(len(x))
    downwards = np.where(
        twice[y, x] & ~nw[y, x], -index, index
    )  # between ne and sw, the second copy has the upper edge
    by_column = np.lexsort((downwards, y, x))
    along_row, along_column = index ^ 1, np.empty_like(index)
    along_column[by_column] = by_column[index ^ 1]
    first = np.where(index % 2 == 0, index, index ^ 1)
    to_the_right = se[y[first], x[first]]
    begins = (index % 2 == 0) == to_the_right
    return np.stack([x, y], 1).astype(np.int32), np.where(begins, along_column[along_row], -1)


def _cycles(successor: NDArray[np.int64]) -> list[list[int]]:
    following = successor.tolist()
    rings = []
    for start, after in enumerate(following):
        if after < 0:
            continue
        ring: list[int] = []
        at = start
        while (after := following[at]) >= 0:
            ring += [at, at ^ 1]
            following[at], at = -1, after
        rings.append(ring)
    return rings
