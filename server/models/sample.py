"""Pixels between pixels: an image in another size, as torch's `interpolate` makes it without antialiasing."""

import numpy as np
from numpy.typing import NDArray

from server.core.embedding import Image


def sampled(image: Image, side: int) -> NDArray[np.float32]:
    """(side, side, 3) in 0..255, not rounded: between the four pixels around each place, whatever lies further off."""
    (tops, bottoms, down), (lefts, rights, across) = (_neighbours(length, side) for length in image.shape[:2])
    upper, lower = (
        _between(image[np.ix_(rows, lefts)], image[np.ix_(rows, rights)], across[:, None]) for rows in (tops, bottoms)
    )
    return _between(upper, lower, down[:, None, None])


def _neighbours(length: int, side: int) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float32]]:
    """For `side` places along an axis of so many pixels: the pixels before and after, and the share of the second."""
    places = np.clip((np.arange(side) + 0.5) * length / side - 0.5, 0, length - 1)
    first = places.astype(np.intp)
    return first, np.minimum(first + 1, length - 1), (places - first).astype(np.float32)


def _between(
    first: NDArray[np.uint8] | NDArray[np.float32],
    second: NDArray[np.uint8] | NDArray[np.float32],
    share: NDArray[np.float32],
) -> NDArray[np.float32]:
    start = first.astype(np.float32, copy=False)
    return start + (second - start) * share
