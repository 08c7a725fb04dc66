"""Masks made tidier: (H, W) bool in, a new one of the same size out; an object never vanishes."""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from server.core.options import AnswerOptions
from server.core.prediction import Mask


def clean(mask: Mask, options: AnswerOptions) -> Mask:
    """The mask smoothed, its holes filled and its islands dropped, as far as the options ask for it."""
    if not mask.any() or not (options.smooth or options.fill_holes or options.drop_islands or options.keep != "all"):
        return mask
    left, top, width, height = cv2.boundingRect(mask.view(np.uint8))
    margin = math.ceil(options.smooth)
    rows, columns = (
        slice(max(start - margin, 0), start + size + margin) for start, size in ((top, height), (left, width))
    )
    cleaned = np.zeros_like(mask)
    cleaned[rows, columns] = _clean(mask[rows, columns], options)
    return cleaned


def _clean(mask: Mask, options: AnswerOptions) -> Mask:
    if options.smooth:
        mask = smooth(mask, options.smooth)
    if options.fill_holes:
        mask = fill_holes(mask, options.fill_holes)
    if options.keep == "largest":
        return drop_islands(mask, math.inf)
    return drop_islands(mask, options.drop_islands) if options.drop_islands else mask


def smooth(mask: Mask, radius: float) -> Mask:
    """Edges without bumps and dents narrower than about `radius` px; a mask too thin for it stays as it is."""
    reach = math.ceil(radius)
    blurred = cv2.GaussianBlur(
        mask.astype(np.uint8) * 255,
        (2 * reach + 1, 2 * reach + 1),
        sigmaX=radius / 2,
        borderType=cv2.BORDER_REPLICATE,  # an object cut off by the image's edge stays cut off there
    )
    smoothed: Mask = blurred >= 128
    return smoothed if smoothed.any() else mask


def fill_holes(mask: Mask, area: float) -> Mask:
    """Holes of fewer than `area` px become part of the mask; background that touches the image's edge is no hole."""
    background = Parts.of(~np.pad(mask, 1), connectivity=4)
    small = background.areas < area
    small[background.labels[0, 0]] = False  # the surroundings
    small[0] = False  # the mask
    return mask | small.take(background.labels[1:-1, 1:-1]) if small.any() else mask


def drop_islands(mask: Mask, area: float) -> Mask:
    """Parts of fewer than `area` px go; the largest one stays whatever its size."""
    return Parts.of(mask).of_at_least(area)


@dataclass(frozen=True, eq=False)
class Parts:
    """What a mask falls into.

    Attributes:
        mask: (H, W).
        labels: (H, W), which part each pixel belongs to, 0 for none.
        areas: the parts' areas by label, px; first that of what belongs to none.
    """

    mask: Mask
    labels: NDArray[np.int32]
    areas: NDArray[np.intp]

    @classmethod
    def of(cls, mask: Mask, connectivity: int = 8) -> "Parts":
        """Of pixels that touch at 4 sides, or at 8 sides and corners."""
        _, found = cv2.connectedComponents(mask.astype(np.uint8), connectivity=connectivity)
        labels = found.astype(np.int32, copy=False)
        return cls(mask, labels, np.bincount(labels.ravel(), minlength=1))  # with OpenCV's own areas it takes longer

    @property
    def largest(self) -> int:
        """The largest part's area, px; 0 where the mask is empty."""
        return int(self.areas[1:].max(initial=0))

    def of_at_least(self, area: float) -> Mask:
        """The mask without parts of fewer than `area` px; the largest one stays whatever its size."""
        if len(self.areas) < 3:
            return self.mask
        kept = self.areas >= area
        kept[0] = False  # the background
        kept[1 + int(np.argmax(self.areas[1:]))] = True
        result: Mask = kept.take(self.labels)
        return result
