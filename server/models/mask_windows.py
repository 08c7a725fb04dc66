"""The masks of a decoder that makes them only where the image is, put together."""

import numpy as np
from numpy.typing import NDArray

from server.models.resize import LOGITS_PER_POSITION

_HIGHEST_BEYOND = -9.0  # about what the decoder's own logits reach there at most


def assembled(windows: NDArray[np.float32], extent: tuple[int, int], grid: int) -> NDArray[np.float32]:
    """(1, n, side, side) masks, side = 4 * grid; beyond the extent its edge goes on where it is low, and else is low.

    Fed back, that guides the decoder as well as what it makes of padding itself (docs/adr/0018).

    Args:
        windows: (n, 16 * rows * columns), in the order (y, x, dy, dx, dy', dx') of two upscalings, each by 2.
        extent: (rows, columns) of the embedding's grid.
    """
    (rows, columns), count, side = extent, len(windows), LOGITS_PER_POSITION * grid
    masks = np.empty((1, count, side, side), np.float32)
    pairs = windows.view(np.complex64).reshape(count, rows, columns, 2, 2, 2)  # of neighbours dx', moved as one
    places = masks.view(np.complex64).reshape(count, grid, 2, 2, grid, 2)  # y, dy, dy', x, dx
    places[:, :rows, :, :, :columns] = pairs.transpose(0, 1, 3, 5, 2, 4)
    bottom, right = LOGITS_PER_POSITION * rows, LOGITS_PER_POSITION * columns
    masks[:, :, bottom:] = np.minimum(masks[:, :, bottom - 1, None], _HIGHEST_BEYOND)
    masks[..., right:] = np.minimum(masks[..., right - 1, None], _HIGHEST_BEYOND)
    return masks
