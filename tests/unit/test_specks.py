"""Crumbs and pinholes of the model's masks."""

import numpy as np
import pytest

from server.core.prediction import Logits
from server.models.specks import without_specks


def logits(*parts: tuple[int, int, int, int], holes: tuple[tuple[int, int, int, int], ...] = ()) -> Logits:
    """256 x 256, positive in `parts` but for `holes`, each of rows and columns from and to."""
    made = np.full((256, 256), -3, np.float32)
    for value, boxes in ((2, parts), (-1, holes)):
        for top, bottom, left, right in boxes:
            made[top:bottom, left:right] = value
    return made


def test_crumbs_go_and_parts_stay() -> None:
    found = without_specks(logits((10, 60, 10, 60), (80, 82, 80, 83), (100, 104, 100, 104)))
    assert ((found > 0) == (logits((10, 60, 10, 60), (100, 104, 100, 104)) > 0)).all()


def test_pinholes_are_filled_and_holes_stay() -> None:
    found = without_specks(logits((10, 60, 10, 60), holes=((20, 22, 20, 23), (40, 46, 40, 46))))
    assert ((found > 0) == (logits((10, 60, 10, 60), holes=((40, 46, 40, 46),)) > 0)).all()


def test_beside_a_large_part_larger_parts_are_crumbs() -> None:
    assert (without_specks(logits((0, 200, 0, 256), (220, 224, 10, 20))) > 0)[220:].sum() == 0


def test_a_crumb_in_a_hole_goes_with_the_hole_around_it_judged_as_a_whole() -> None:
    ring = logits((10, 60, 10, 60), holes=((20, 30, 20, 30),))
    crumbed = ring.copy()
    crumbed[25, 25] = 2
    assert ((without_specks(crumbed) > 0) == (ring > 0)).all()


@pytest.mark.parametrize("place", [(0, 1, 0, 1), (255, 256, 100, 101)])
def test_the_only_part_stays_however_small(place: tuple[int, int, int, int]) -> None:
    assert (without_specks(logits(place)) > 0).sum() == 1


def test_details_of_a_tiny_object_are_no_specks() -> None:
    ring = logits((10, 15, 10, 15), (10, 12, 17, 19), holes=((11, 13, 11, 14),))
    assert (without_specks(ring) == ring).all()


def test_a_dent_at_the_edge_of_the_image_is_no_hole() -> None:
    dented = logits((0, 60, 0, 60), holes=((0, 2, 20, 22),))
    dented[0, 0] = -1
    filled = without_specks(dented) > 0
    assert not filled[0, 20]
    assert not filled[0, 0]


def test_logits_without_specks_and_empty_ones_are_left_alone() -> None:
    whole = logits((10, 60, 10, 60))
    assert (without_specks(whole) == whole).all()
    empty = logits()
    assert without_specks(empty) is empty
