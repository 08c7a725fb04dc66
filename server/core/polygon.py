"""A mask as Label Studio's polygons: rings that never cross themselves, in percent of the image.

Label Studio's polygons cannot have holes, and a hole joined to its ring by a bridge is a ring that touches itself: so
holes are filled. Whoever needs them takes Bitmask or Brush.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from server.core.outline import Ring, area, outlines
from server.core.prediction import Mask
from server.core.simple import is_simple

Percents = list[tuple[float, float]]

_SMALLEST_PART = 16  # px; of a mask in several parts, smaller ones and
_SMALLEST_SHARE = 1 / 1000  # those smaller than this share of the largest are crumbs
_FINEST_TOLERANCE = 0.5  # px; below it only steps of single pixels are left to simplify


def polygons(mask: Mask, tolerance: float) -> list[Percents]:
    """A ring of (x, y) for each part of the mask, largest first, crumbs left out.

    No edge is further than `tolerance` px from the part's own; at 0 the ring runs along the edges of its pixels.
    """
    height, width = mask.shape
    rings = outlines(mask)
    least = max(_SMALLEST_PART, area(rings[0]) * _SMALLEST_SHARE) if rings else 0.0
    parts = [ring for position, ring in enumerate(rings) if position == 0 or area(ring) >= least]
    size = np.array([width, height])
    return [[(x, y) for x, y in (100 * simplified(ring, tolerance) / size).tolist()] for ring in parts]


def simplified(ring: Ring, tolerance: float) -> NDArray[np.int32]:
    """Some of a ring's corners; with a smaller tolerance, down to all of them, where fewer would cross themselves."""
    while tolerance >= _FINEST_TOLERANCE:
        fewer = cv2.approxPolyDP(ring[:, None], tolerance, closed=True)[:, 0].astype(np.int32)  # (N, 1, 2) -> (N, 2)
        if is_simple(fewer):
            return fewer
        tolerance /= 2
    return ring
