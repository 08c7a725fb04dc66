"""How alike two masks are; of numpy alone, for every environment that tests run in."""

import numpy as np
from numpy.typing import NDArray


def overlap(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> float:
    """Intersection over union of masks that are not both empty."""
    return np.count_nonzero(one & other) / np.count_nonzero(one | other)
