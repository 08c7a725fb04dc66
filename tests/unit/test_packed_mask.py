import numpy as np
import pytest

from server.core.geometry import Point
from server.core.packed_mask import pack
from tests.unit.masks import disc


@pytest.mark.parametrize(
    "mask", [disc(60, 90, 40, 20, (30, 15), 20), np.zeros((3, 5), bool), np.ones((1, 1), bool)], ids=["disc", "0", "1"]
)
def test_a_packed_mask_unpacks_to_itself(mask: np.ndarray) -> None:
    assert np.array_equal(pack(mask).unpacked(), mask)


def test_a_packed_mask_holds_the_points_on_its_pixels() -> None:
    mask = np.zeros((10, 20), bool)
    mask[5:, 15:] = True
    mask[7, 17] = False
    held = [(15, 5), (19.9, 9.9), (20, 10)]
    missed = [(14.9, 5), (15, 4.9), (17.5, 7.5), (20.1, 9), (16, 10.1), (-1, 9), (3, 3)]
    assert [pack(mask).holds(Point(x, y)) for x, y in held + missed] == [True] * 3 + [False] * 7


def test_a_large_mask_takes_little_room() -> None:
    assert len(pack(disc(3000, 4000, 2000, 1500, (1400, 1400), 0)).content) < 100_000
