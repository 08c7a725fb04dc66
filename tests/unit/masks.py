"""Masks to try things on, and oracles that share no code with the server."""

from collections.abc import Sequence

import cv2
import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from server.core.prediction import Mask

_SCALE = 8  # sub-pixels


def any_mask(side: int = 20) -> st.SearchStrategy[Mask]:
    """Masks of every kind: specks, holes, parts that touch at a corner, nothing, everything."""
    return hnp.arrays(np.bool_, hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=side))


def smooth_mask() -> st.SearchStrategy[Mask]:
    """Masks of some size with round edges, as a decoder answers them."""
    return st.builds(_blobs, st.integers(0, 10_000), st.integers(30, 120), st.integers(30, 120)).filter(np.any)


def _blobs(seed: int, height: int, width: int) -> Mask:
    noise = np.random.default_rng(seed).normal(size=(height, width)).astype(np.float32)
    blurred = cv2.GaussianBlur(noise, (0, 0), 6)
    mask: Mask = blurred > blurred.std()
    return mask


def rasterise(rings: Sequence[Sequence[Sequence[float]]], height: int, width: int) -> Mask:
    """The pixels whose centres lie inside any of the rings, given in percent."""
    canvas = np.zeros((height * _SCALE, width * _SCALE), np.uint8)
    for ring in rings:
        corners = np.round(np.asarray(ring) * (width * _SCALE / 100, height * _SCALE / 100)).astype(np.int32)
        cv2.fillPoly(canvas, [corners], 1)
    mask: Mask = canvas[_SCALE // 2 :: _SCALE, _SCALE // 2 :: _SCALE] > 0
    return mask


def disc(height: int, width: int, x: float, y: float, radii: tuple[float, float], degrees: float = 0) -> Mask:
    """An ellipse around (x, y) px, turned clockwise."""
    rows, columns = np.mgrid[:height, :width] + 0.5
    angle = np.radians(degrees)
    along = (columns - x) * np.cos(angle) + (rows - y) * np.sin(angle)
    across = (rows - y) * np.cos(angle) - (columns - x) * np.sin(angle)
    mask: Mask = (along / radii[0]) ** 2 + (across / radii[1]) ** 2 <= 1
    return mask


def without_holes(mask: Mask) -> Mask:
    """Filled by a flood from outside, four neighbours at a time."""
    canvas = np.pad(mask, 1).astype(np.uint8)
    cv2.floodFill(canvas, None, (0, 0), (2,), flags=4)
    filled: Mask = canvas[1:-1, 1:-1] != 2
    return filled
