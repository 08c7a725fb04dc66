"""The RLE decoder against Label Studio's reference decoder, and against streams that no encoder we know writes."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from label_studio_sdk.converter import brush

from server.core.geometry import ImageSize
from server.core.prediction import Mask
from server.core.rle import encode_rle
from server.core.rle_decode import decode_rle
from server.errors import BadPrompt


def written(words: Sequence[int], word_bits: int, widths: Sequence[int], seed: int) -> list[int]:
    """A legal stream of `words` with any header, runs split and mixed with literal chunks at random."""
    rng = np.random.default_rng(seed)
    bits = f"{len(words):032b}{word_bits - 1:05b}" + "".join(f"{width - 1:04b}" for width in widths)
    start = 0
    while start < len(words):
        kind = int(rng.integers(4))
        longest = min(1 << widths[kind], len(words) - start)
        if rng.random() < 0.5:
            same = next((k for k in range(longest) if words[start + k] != words[start]), longest)
            count = int(rng.integers(1, same + 1))
            bits += f"1{kind:02b}{count - 1:0{widths[kind]}b}{words[start]:0{word_bits}b}"
        else:
            count = int(rng.integers(1, min(longest, 50) + 1))
            bits += f"0{kind:02b}{count - 1:0{widths[kind]}b}"
            bits += "".join(f"{word:0{word_bits}b}" for word in words[start : start + count])
        start += count
    bits += "0" * (-len(bits) % 8)
    return [int(bits[k : k + 8], 2) for k in range(0, len(bits), 8)]


def blobs(height: int, width: int, seed: int) -> Mask:
    rng = np.random.default_rng(seed)
    mask: Mask = np.kron(rng.random((height, width)) < 0.4, np.ones((3, 5), bool))
    return mask


@given(st.integers(1, 30), st.integers(1, 30), st.integers(0, 10**6))
@settings(max_examples=50, deadline=None)
def test_what_the_reference_encoder_writes_is_read_back(height: int, width: int, seed: int) -> None:
    mask = blobs(height, width, seed)
    rle = brush.mask2rle(mask.astype(np.uint8) * 255)  # type: ignore[no-untyped-call]
    assert np.array_equal(decode_rle(rle, ImageSize(*mask.shape)), mask)


@given(
    st.integers(1, 12),
    st.integers(1, 12),
    st.integers(1, 32),
    st.lists(st.integers(1, 16), min_size=4, max_size=4),
    st.integers(0, 10**6),
)
@settings(max_examples=150, deadline=None)
def test_any_legal_header_and_any_split_of_runs_is_understood(
    height: int, width: int, word_bits: int, widths: list[int], seed: int
) -> None:
    rng = np.random.default_rng(seed)
    words = np.repeat(rng.integers(0, 1 << word_bits, height * width * 4), rng.integers(1, 9, height * width * 4))
    words = (words * (rng.random(len(words)) < 0.7))[: height * width * 4]
    rle = written(words.tolist(), word_bits, widths, seed)
    expected = words.reshape(height, width, 4)[..., 3] != 0
    assert np.array_equal(decode_rle(rle, ImageSize(height, width)), expected)
    if word_bits == 8:
        assert np.array_equal(np.asarray(brush.decode_rle(rle))[: len(words)], words)


def test_a_stream_of_many_blocks_is_read_to_its_end() -> None:
    mask = np.random.default_rng(0).random((400, 600)) < 0.5
    rle = encode_rle(mask).tolist()
    assert len(rle) > 3 * (1 << 16)
    assert np.array_equal(decode_rle(rle, ImageSize(400, 600)), mask)


def test_zeros_at_the_end_are_padding() -> None:
    mask = blobs(3, 4, 0)
    assert np.array_equal(decode_rle([*encode_rle(mask).tolist(), 0, 0, 0, 0], ImageSize(*mask.shape)), mask)


@pytest.mark.parametrize("cut", [0, 3, 6, 8, -1])
def test_a_stream_that_is_cut_short_is_refused(cut: int) -> None:
    rle = encode_rle(blobs(20, 30, 1)).tolist()
    with pytest.raises(BadPrompt, match="rle"):
        decode_rle(rle[:cut], ImageSize(60, 150))


def test_a_stream_for_another_image_is_refused_with_both_sizes() -> None:
    with pytest.raises(BadPrompt, match="1600 words, but an image of 20 x 30 px has 2400"):
        decode_rle(encode_rle(np.zeros((20, 20), bool)).tolist(), ImageSize(30, 20))


def test_a_stream_that_runs_past_its_end_is_refused() -> None:
    rle = encode_rle(np.zeros((2, 2), bool)).tolist()
    rle[3] = 12  # words announced, of the 16 that follow
    with pytest.raises(BadPrompt, match="12 words"):
        decode_rle(rle, ImageSize(1, 3))


@pytest.mark.parametrize("rle", [[256], [-1]])
def test_numbers_that_are_no_bytes_are_refused(rle: list[int]) -> None:
    with pytest.raises(BadPrompt, match="bytes"):
        decode_rle(rle, ImageSize(1, 1))
