"""Holes, islands and edges."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from server.core.hygiene import clean, drop_islands, fill_holes, smooth
from server.core.options import AnswerOptions
from server.core.prediction import Mask
from tests.overlap import overlap
from tests.unit.masks import any_mask, disc, without_holes

RINGED = """
..........
.#####....
.#...#..#.
.#...#....
.###.#....
.#####....
..........
"""  # a hole of 7 px, an island of 1 px; the frame around is background


def drawn(text: str) -> Mask:
    return np.array([[letter == "#" for letter in line] for line in text.split()])


def test_holes_under_the_limit_are_filled_and_others_stay() -> None:
    mask = drawn(RINGED)
    assert (fill_holes(mask, 7) == mask).all()
    assert (fill_holes(mask, 8) == without_holes(mask)).all()


def test_background_that_reaches_the_images_edge_is_no_hole() -> None:
    mask = drawn("###.# #...# #####")
    assert (fill_holes(mask, 100) == mask).all()


def test_islands_under_the_limit_are_dropped_and_the_largest_part_never_is() -> None:
    mask = drawn(RINGED)
    assert (drop_islands(mask, 1) == mask).all()
    assert drop_islands(mask, 2).sum() == mask.sum() - 1
    assert (drop_islands(mask, 1000) == drop_islands(mask, 2)).all()


def test_keep_largest_keeps_one_part() -> None:
    mask = drawn("##..#. ##.... ....##")
    assert (clean(mask, AnswerOptions(keep="largest")) == drawn("##.... ##.... ......")).all()


def test_smoothing_takes_bumps_and_dents_away_and_keeps_the_shape() -> None:
    mask = disc(120, 160, 80, 60, (40, 30))
    rough = mask.copy()
    rough[60, 118:126] = True  # a hair
    rough[60, 40:46] = False  # a dent
    smoothed = smooth(rough, 4)
    assert not smoothed[60, 123:].any()
    assert overlap(smoothed, mask) > 0.98 > overlap(rough, mask) - 0.02


def test_an_object_cut_off_by_the_images_edge_stays_cut_off_there() -> None:
    mask = np.zeros((40, 60), bool)
    mask[:, :30] = True
    assert (smooth(mask, 8) == mask).all()


def test_a_line_too_thin_for_the_smoothing_stays_as_it_is() -> None:
    mask = np.zeros((40, 60), bool)
    mask[20, 5:50] = True
    assert (smooth(mask, 10) == mask).all()


OPTIONS = st.builds(
    AnswerOptions,
    fill_holes=st.integers(0, 20),
    drop_islands=st.integers(0, 20),
    keep=st.sampled_from(["all", "largest"]),
    smooth=st.integers(0, 3),
)


@settings(max_examples=100, deadline=None)
@given(any_mask(), OPTIONS)
def test_cleaning_keeps_the_size_leaves_its_input_alone_and_never_empties_a_mask(
    mask: Mask, options: AnswerOptions
) -> None:
    before = mask.copy()
    cleaned = clean(mask, options)
    assert cleaned.shape == mask.shape
    assert (mask == before).all()
    assert cleaned.any() == mask.any()


@settings(max_examples=100, deadline=None)
@given(any_mask())
def test_filling_all_holes_is_what_a_flood_from_outside_leaves(mask: Mask) -> None:
    assert (clean(mask, AnswerOptions(fill_holes=1e9)) == without_holes(mask)).all()
