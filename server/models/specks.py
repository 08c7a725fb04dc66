"""Low-resolution logits without specks: the crumbs beside an object and the pinholes in it that SAM's decoder leaves.

Wherever its logits are close to 0 on a surface, some cross it. Such a part is no object, and an annotator would have to
erase each (docs/adr/0017).
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from server.core.prediction import Logits

_SMALLEST = 1 / 8192  # of the logits, 8 of 256 x 256: parts and holes of fewer are specks,
_SHARE = 1 / 1000  # and those smaller than this share of the largest part,
_LARGEST_SHARE = 1 / 10  # but none that is larger than this one: of a tiny object every detail is small


def without_specks(logits: Logits) -> Logits:
    """(h, w) with specks on the other side of 0; the largest part stays whatever its size."""
    left, top, width, height = cv2.boundingRect((logits > 0).astype(np.uint8))
    if not width:
        return logits
    cleaned = logits.copy()
    around = cleaned[top : top + height, left : left + width]  # a view
    least = _drop_crumbs(around, logits.size * _SMALLEST)
    _fill_pinholes(around, least)
    return cleaned


def _drop_crumbs(logits: Logits, smallest: float) -> float:
    """In place; gives the area from which on a part or a hole is no speck."""
    labels, areas = _parts(logits > 0, connectivity=8)
    largest = int(areas.argmax())
    least = min(max(smallest, areas[largest] * _SHARE), areas[largest] * _LARGEST_SHARE)
    is_crumb = areas < least
    is_crumb[largest] = False
    if is_crumb.any():
        crumbs = np.append(False, is_crumb)[labels]
        logits[crumbs] *= -1
    return float(least)


def _fill_pinholes(logits: Logits, least: float) -> None:
    """In place."""
    labels, areas = _parts(np.pad(logits <= 0, 1, constant_values=True), connectivity=4)
    is_pinhole = areas < least
    is_pinhole[labels[0, 0] - 1] = False  # the surroundings
    if is_pinhole.any():
        pinholes = np.append(False, is_pinhole)[labels[1:-1, 1:-1]]
        logits[pinholes] = np.maximum(-logits[pinholes], np.finfo(np.float32).tiny)


def _parts(mask: NDArray[np.bool_], connectivity: int) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Which part each place belongs to, from 1, or 0 for none; and the parts' areas."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=connectivity)
    return labels.astype(np.int32, copy=False), stats[1:, cv2.CC_STAT_AREA].astype(np.int32)
