"""Masks made tidier: (H, W) bool in, a new one of the same size out; an object never vanishes."""

import math

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
    labels, areas = _parts(~np.pad(mask, 1), connectivity=4)
    small = areas < area
    small[labels[0, 0]] = False  # the surroundings
    small[0] = False  # the mask
    return mask | small[labels[1:-1, 1:-1]]


def drop_islands(mask: Mask, area: float) -> Mask:
    """Parts of fewer than `area` px go; the largest one stays whatever its size."""
    labels, areas = _parts(mask, connectivity=8)
    if len(areas) < 3:
        return mask
    kept = areas >= area
    kept[0] = False  # the background
    kept[1 + int(np.argmax(areas[1:]))] = True
    result: Mask = kept[labels]
    return result


def largest_area(mask: Mask) -> int:
    """Of the mask's largest part, px; 0 where the mask is empty."""
    return int(_parts(mask, connectivity=8)[1][1:].max(initial=0))


def _parts(mask: Mask, connectivity: int) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Which part each pixel belongs to, 0 for none, and the parts' areas."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=connectivity)
    return labels.astype(np.int32, copy=False), stats[:, cv2.CC_STAT_AREA].astype(np.int32)
