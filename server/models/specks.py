"""Low-resolution logits without specks: the crumbs beside an object and the pinholes in it that SAM's decoder leaves.

Wherever its logits are close to 0 on a surface, some cross it. Such a part is no object, and an annotator would have to
erase each (docs/adr/0017).
"""

import cv2
import numpy as np

from server.core.hygiene import Parts, fill_holes
from server.core.prediction import Logits

_SMALLEST = 1 / 8192  # of the logits, 8 of 256 x 256: parts and holes of fewer are specks,
_SHARE = 1 / 1000  # and those smaller than this share of the largest part,
_LARGEST_SHARE = 1 / 10  # but none that is larger than this one: of a tiny object every detail is small


def without_specks(logits: Logits) -> Logits:
    """(h, w) with specks on the other side of 0; the largest part stays whatever its size."""
    mask = logits > 0
    left, top, width, height = cv2.boundingRect(mask.view(np.uint8))
    if not width:
        return logits
    rows, columns = slice(top, top + height), slice(left, left + width)
    part = mask[rows, columns]
    parts = Parts.of(part)
    least = min(max(logits.size * _SMALLEST, parts.largest * _SHARE), parts.largest * _LARGEST_SHARE)
    tidy = fill_holes(parts.of_at_least(least), least)
    changed = tidy != part
    if not changed.any():
        return logits
    cleaned = logits.copy()
    around = cleaned[rows, columns]
    np.negative(around, out=around, where=changed)
    around[changed & tidy] = np.maximum(around[changed & tidy], np.finfo(np.float32).tiny)
    return cleaned
