"""A mask kept in little memory, for when it is asked about later."""

import zlib
from dataclasses import dataclass, field
from math import floor

import cv2
import numpy as np

from server.core.geometry import Point
from server.core.prediction import Mask


@dataclass(frozen=True, slots=True)
class PackedMask:
    """A (height, width) mask; only the tight box around it takes room."""

    shape: tuple[int, int]
    rows: slice
    columns: slice
    content: bytes = field(repr=False)

    def unpacked(self) -> Mask:
        """The (H, W) bool mask."""
        mask: Mask = np.zeros(self.shape, np.bool_)
        part = mask[self.rows, self.columns]
        height, width = part.shape
        bits = np.frombuffer(zlib.decompress(self.content), np.uint8).reshape(height, (width + 7) // 8)
        part[:] = np.unpackbits(bits, axis=1, count=width)
        return mask

    def holds(self, point: Point) -> bool:
        """Whether the pixel under a point is in the mask; at the far edges, that is the last pixel."""
        height, width = self.shape
        if not (0 <= point.x <= width and 0 <= point.y <= height):
            return False
        row, column = min(floor(point.y), height - 1), min(floor(point.x), width - 1)
        if not (self.rows.start <= row < self.rows.stop and self.columns.start <= column < self.columns.stop):
            return False
        return bool(self.unpacked()[row, column])


def pack(mask: Mask) -> PackedMask:
    """Takes a (H, W) bool mask, contiguous in memory."""
    left, top, width, height = cv2.boundingRect(mask.view(np.uint8))
    rows, columns = slice(top, top + height), slice(left, left + width)
    bits = np.packbits(mask[rows, columns], axis=1)
    return PackedMask((mask.shape[0], mask.shape[1]), rows, columns, zlib.compress(bits.tobytes(), 1))
