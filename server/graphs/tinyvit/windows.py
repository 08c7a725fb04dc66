"""Which token stands where once the image is cut into windows; those on the edge reach beyond it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Windows:
    """A square of side * side tokens, row by row, in windows of `window` * `window`.

    Attributes:
        tokens: (W, S), each window's tokens; beyond the image it is side * side, the row after the last.
        back: (side * side,), where each token stands among the W * S.
    """

    tokens: NDArray[np.int64]
    back: NDArray[np.int64]


def windows(side: int, window: int) -> Windows:
    """The windows, row by row."""
    across = -(-side // window)
    covered = np.full((across * window, across * window), side * side)
    covered[:side, :side] = np.arange(side * side).reshape(side, side)
    tokens = covered.reshape(across, window, across, window).swapaxes(1, 2).reshape(-1, window * window)
    back = np.argsort(tokens, axis=None, kind="stable")[: side * side]
    return Windows(tokens.astype(np.int64), back.astype(np.int64))
