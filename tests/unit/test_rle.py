from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from label_studio_sdk.converter import brush
from numpy.typing import NDArray

from server.core.prediction import Mask
from server.core.rle import encode_rle

_BAND = np.zeros(40_000, np.bool_)
_BAND[10_000:30_000] = True

MASKS: dict[str, Mask] = {
    "2x2": np.array([[0, 1], [1, 0]], np.bool_),
    "one off": np.zeros((1, 1), np.bool_),
    "one on": np.ones((1, 1), np.bool_),
    "200x200 band": _BAND.reshape(200, 200),
}


def bits_with(mask: Mask, widths: tuple[int, ...]) -> int:
    """How many bits the runs of a mask take with these field widths, counted one by one."""
    words = np.repeat(mask.reshape(-1), 4)
    ends = [*(np.flatnonzero(np.diff(words)) + 1), words.size]
    runs = [end - start for start, end in pairwise([0, *ends])]
    pieces = [piece for run in runs for piece in [65_536] * ((run - 1) // 65_536) + [(run - 1) % 65_536 + 1]]
    return sum(11 + min(width for width in widths if piece <= 1 << width) for piece in pieces)


def widths_in(rle: NDArray[np.uint8]) -> tuple[int, ...]:
    """The four field widths that the header names."""
    header = np.unpackbits(rle[:7])[37:53].reshape(4, 4)
    return tuple(int("".join(map(str, bits)), 2) + 1 for bits in header)


def pixels_of(rle: NDArray[np.uint8], shape: tuple[int, ...]) -> Mask:
    """The mask that Label Studio's own decoder sees; all four channels of a pixel must agree and be 0 or 255."""
    words = brush.decode_rle(rle.tolist())
    channels = words.reshape(-1, 4)
    assert (channels == channels[:, :1]).all()
    assert set(np.unique(channels)) <= {0, 255}
    mask: Mask = channels[:, 3].reshape(shape) == 255
    return mask


def reference_rle(mask: Mask) -> list[int]:
    rle: list[int] = brush.mask2rle(np.where(mask, 255, 0).astype(np.uint8))  # type: ignore[no-untyped-call]
    return rle


def assert_round_trip(mask: Mask) -> None:
    rle = encode_rle(mask)
    np.testing.assert_array_equal(pixels_of(rle, mask.shape), mask)
    assert len(rle) <= len(reference_rle(mask))


@st.composite
def runs(draw: st.DrawFn) -> Mask:
    """Masks as runs, with lengths around every change of field width."""
    lengths = draw(st.lists(st.sampled_from([1, 2, 3, 4, 5, 63, 64, 65, 300]) | st.integers(1, 90), max_size=12))
    first = draw(st.booleans())
    flat = np.repeat(np.resize([first, not first], len(lengths)), lengths)
    return flat.astype(np.bool_).reshape(1, -1)


@pytest.mark.parametrize("mask", MASKS.values(), ids=MASKS.keys())
def test_a_mask_is_no_longer_than_from_label_studios_encoder_and_reads_back(mask: Mask) -> None:
    assert encode_rle(mask).dtype == np.uint8
    assert_round_trip(mask)


@pytest.mark.parametrize("seed", range(4))
def test_no_other_field_widths_make_it_shorter(seed: int) -> None:
    rng = np.random.default_rng(seed)
    lengths = rng.geometric(1 / rng.choice([3, 40, 700, 9000], 30))
    mask = np.repeat(np.arange(lengths.size) % 2 == 1, lengths).reshape(1, -1)
    rle = encode_rle(mask)
    others = ((*narrower, 16) for narrower in combinations(range(1, 16), 3))
    assert bits_with(mask, widths_in(rle)) == min(bits_with(mask, widths) for widths in others)
    assert len(rle) == -(-(53 + bits_with(mask, widths_in(rle))) // 8)
    assert_round_trip(mask)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 12), st.integers(1, 12), st.data())
def test_any_mask_reads_back_with_label_studios_decoder(height: int, width: int, data: st.DataObject) -> None:
    bits = data.draw(st.lists(st.booleans(), min_size=height * width, max_size=height * width))
    assert_round_trip(np.array(bits, np.bool_).reshape(height, width))


@settings(max_examples=60, deadline=None)
@given(runs().filter(lambda mask: mask.size > 0))
def test_runs_of_any_length_read_back_with_label_studios_decoder(mask: Mask) -> None:
    assert_round_trip(mask)


@pytest.mark.parametrize("pixels", [16_383, 16_384, 16_385, 32_768, 50_000])
@pytest.mark.parametrize("value", [False, True])
def test_runs_longer_than_one_token_are_split(pixels: int, value: bool) -> None:
    mask = np.full((2, pixels), value)
    mask[1, 1:] = not value
    assert_round_trip(mask)


def test_rows_run_on_into_the_next_in_a_mask_that_is_not_square() -> None:
    mask = np.zeros((3, 7), np.bool_)
    mask[0, 5:] = mask[1, :2] = mask[2, 6] = True
    np.testing.assert_array_equal(pixels_of(encode_rle(mask), (3, 7)), mask)
    assert encode_rle(mask).tolist() != encode_rle(mask.T).tolist()


def test_a_view_of_a_mask_is_encoded_as_it_looks() -> None:
    view = np.eye(6, dtype=np.bool_)[:, ::-1][1:, ::2]
    assert not view.flags.c_contiguous
    assert encode_rle(view).tolist() == encode_rle(view.copy()).tolist()
    np.testing.assert_array_equal(pixels_of(encode_rle(view), view.shape), view)


def test_a_mask_without_pixels_is_a_header_that_counts_none() -> None:
    rle = encode_rle(np.zeros((0, 0), np.bool_))
    assert (rle[:4].tolist(), len(rle)) == ([0, 0, 0, 0], 7)


def test_a_mask_that_the_format_cannot_count_is_refused() -> None:
    huge = np.broadcast_to(np.bool_(False), (1 << 15, 1 << 15))  # 2**30 pixels, 2**32 words, one byte of memory
    with pytest.raises(ValueError, match="1073741824 pixels"):
        encode_rle(huge)
