"""Which part of a large image to look at for a small object.

What a closer look gains, and the numbers below, were measured: docs/adr/0010-crops-for-small-objects.md.
"""

from collections.abc import Sequence
from itertools import count

import numpy as np

from server.core.crop import Crop
from server.core.geometry import Box, ImageSize, Point, clamp
from server.core.prediction import Mask

_SMALLEST_IMAGE = 2048  # px of the longest side; smaller ones have few pixels that the encoder does not see
_SMALLEST_SIDE = 512  # px; more enlarged, pixels show the encoder nothing new
_MARGIN = 2.0  # a crop's side is at least so many times the object's
_LEAST_ZOOM = 2.0  # a crop that enlarges less is not worth an encode
_STEPS = 8  # a crop's corners lie on a grid of so many steps per side


def is_large(image: ImageSize) -> bool:
    """Whether anything on an image may be worth a closer look."""
    return image.longest >= _SMALLEST_IMAGE


def crop_around(box: Box, image: ImageSize) -> Crop | None:
    """The part of a large image for an object in `box`, in the image's pixels; None when the object is not small.

    Sides come in steps of sqrt(2) and corners on a grid, so that nearly the same box has the same part.
    """
    sides = (round(_SMALLEST_SIDE * 2 ** (step / 2)) for step in count())
    side = next(side for side in sides if side >= _MARGIN * box.longest)
    if not is_large(image) or side * _LEAST_ZOOM > image.longest:
        return None
    size = ImageSize(min(side, image.height), min(side, image.width))
    left = _on_grid((box.x1 + box.x2 - size.width) / 2, side, image.width - size.width)
    top = _on_grid((box.y1 + box.y2 - size.height) / 2, side, image.height - size.height)
    return Crop(left, top, size, image)


def extent(mask: Mask, clicks: Sequence[Point], image: ImageSize) -> Box:
    """The box, in the image's pixels, around at least one click and a mask of the image, which may be a coarse one."""
    left, right = _edges(mask, image.width, [click.x for click in clicks])
    top, bottom = _edges(mask.T, image.height, [click.y for click in clicks])
    return Box(left, top, right, bottom)


def _edges(mask: Mask, length: int, clicks: Sequence[float]) -> tuple[float, float]:
    """Where the mask's filled columns, `length` px in all, and clicks begin and end; a click is 1 px wide."""
    cells = np.flatnonzero(mask.any(axis=0))
    places = np.concatenate([cells, cells + 1]) * (length / mask.shape[1])
    return min([*places, min(clicks) - 0.5]), max([*places, max(clicks) + 0.5])


def _on_grid(place: float, side: int, most: int) -> int:
    step = side / _STEPS
    return int(clamp(round(place / step) * step, most))
