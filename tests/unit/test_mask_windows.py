"""Masks that were made only where the image is are put in order, and show nothing beyond it."""

import numpy as np

from server.models.mask_windows import assembled


def test_each_logit_comes_to_its_place() -> None:
    grid, count = 3, 2
    whole = np.arange(count * 144, dtype=np.float32).reshape(count, 12, 12)
    by_bit = whole.reshape(count, grid, 2, 2, grid, 2, 2).transpose(0, 1, 4, 2, 5, 3, 6)  # y, x, dy, dx, dy', dx'
    assert np.array_equal(assembled(by_bit.reshape(count, -1), (grid, grid), grid)[0], whole)


def test_what_is_beyond_is_no_object_and_goes_on_as_low_as_the_edge() -> None:
    windows = np.linspace(-30, 10, 32, dtype=np.float32)[None]
    wide, high = (assembled(windows, extent, grid=2)[0, 0] for extent in ((1, 2), (2, 1)))
    for part, edge, beyond in ((wide, wide[3], wide[4:]), (high, high[:, 3:4], high[:, 4:])):
        assert len(np.unique(part)) >= 32
        assert (beyond == np.minimum(edge, -9)).all()
        assert (beyond < edge).any()
        assert (beyond == edge).any()
