"""Whether a ring of whole-numbered corners meets itself anywhere: exact, without floating point."""

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.int64]  # (N, 2)


def is_simple(ring: NDArray[np.int32]) -> bool:
    """True for a ring with some area, no two of whose edges share more than the corner between neighbours."""
    starts = ring.astype(np.int64)
    if len(starts) < 3 or (starts == np.roll(starts, -1, 0)).all(1).any():
        return False
    ends = np.roll(starts, -1, 0)
    turns_back = (_cross(starts, ends, np.roll(ends, -1, 0)) == 0) & (
        ((ends - starts) * (np.roll(ends, -1, 0) - ends)).sum(1) < 0
    )
    if turns_back.any():
        return False
    one, other = _close_pairs(starts, ends)
    apart = (one - other) % len(starts)
    far = (apart != 1) & (apart != len(starts) - 1)  # neighbours share their corner, and that is all
    one, other = one[far], other[far]
    return not _meet(starts[one], ends[one], starts[other], ends[other]).any()


def _close_pairs(starts: Points, ends: Points) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pairs of edges whose bounding boxes overlap; found by a sweep along the ring's longer side."""
    low, high = np.minimum(starts, ends), np.maximum(starts, ends)
    axis = int(np.argmax(np.ptp(starts, axis=0)))
    order = np.argsort(low[:, axis], kind="stable")
    reach = np.searchsorted(low[order, axis], high[order, axis], side="right")  # who begins before this one ends
    counts = np.maximum(reach - np.arange(len(order)) - 1, 0)
    first = np.repeat(np.arange(len(order)), counts)
    second = first + 1 + np.arange(len(first)) - np.repeat(np.cumsum(counts) - counts, counts)
    one, other = order[first], order[second]
    overlap = ((low[one] <= high[other]) & (low[other] <= high[one])).all(1)
    return one[overlap], other[overlap]


def _meet(a: Points, b: Points, c: Points, d: Points) -> NDArray[np.bool_]:
    """Whether the edges ab and cd, whose bounding boxes overlap, have a point in common."""
    c_side, d_side = np.sign(_cross(a, b, c)), np.sign(_cross(a, b, d))
    a_side, b_side = np.sign(_cross(c, d, a)), np.sign(_cross(c, d, b))
    meet: NDArray[np.bool_] = (c_side * d_side <= 0) & (a_side * b_side <= 0)
    return meet


def _cross(a: Points, b: Points, c: Points) -> NDArray[np.int64]:
    """Positive where c is clockwise of the line from a to b, zero on it."""
    cross: NDArray[np.int64] = (b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]
    return cross
