"""Weights in 8 bits, each output with a scale of its own."""

import numpy as np
from numpy.typing import NDArray

from server.graphs.weights import Floats


def quantised(weight: Floats) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """(in, out) -> the same rounded to -127..127, and (out,) scales that take it back; zero stays zero."""
    largest = np.abs(weight).max(axis=0)
    scales = np.where(largest > 0, largest, 1) / 127
    return np.rint(weight / scales).astype(np.int8), scales.astype(np.float32)
