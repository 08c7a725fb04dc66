"""Label Studio's brush RLE as a mask; the format is described in rle.py.

Any legal header is understood. Only the alpha channel (each pixel's last byte) is looked at, as the editor does.
Where a token starts depends on the token before it, but what a token at a given bit would be does not: so tokens are
read at every bit of a block at once, and Python only hops from one to the next.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from server.core.geometry import ImageSize
from server.core.prediction import Mask
from server.errors import BadPrompt

_CHANNELS = 4
_HEADER_BITS = 32 + 5 + 4 * 4
_BLOCK_BYTES = 1 << 16
_PADDING = bytes(8)  # so that a window may reach past the end

_Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class _Header:
    words: int
    word_bits: int
    widths: _Ints  # of the run-length field, by its index


def decode_rle(rle: Sequence[int], size: ImageSize) -> Mask:
    """The (H, W) bool mask of a brush stroke on an image of `size`: True where alpha is not 0.

    Raises:
        BadPrompt: it is cut short, or holds another number of words than 4 * H * W.
    """
    try:
        stream = bytes(rle)
    except ValueError:
        raise BadPrompt("rle must hold bytes, 0 to 255") from None
    header = _header(stream)
    if header.words != _CHANNELS * size.pixels:
        raise BadPrompt(
            f"rle holds {header.words} words, but an image of {size.width} x {size.height} px has "
            f"{_CHANNELS * size.pixels}"
        )
    padded = np.frombuffer(stream + _PADDING, np.uint8)
    lengths, opaque = _runs(padded, _token_starts(padded, header), header)
    # pixel i's alpha is word 4 i + 3: the words before word e hold the alpha of e // 4 pixels
    pixels = np.diff(np.cumsum(lengths) // _CHANNELS, prepend=0)
    return np.repeat(opaque, pixels).reshape(size.height, size.width)


def _header(stream: bytes) -> _Header:
    if len(stream) * 8 < _HEADER_BITS:
        raise BadPrompt(f"rle of {len(stream)} bytes is shorter than its header")
    bits = int.from_bytes(stream[:7], "big") >> (7 * 8 - _HEADER_BITS)
    widths = [(bits >> shift & 15) + 1 for shift in (12, 8, 4, 0)]
    return _Header(bits >> 21, (bits >> 16 & 31) + 1, np.array(widths, np.int64))


def _token_starts(padded: NDArray[np.uint8], header: _Header) -> _Ints:
    """The bit at which each token starts."""
    last_bit = (len(padded) - len(_PADDING)) * 8
    starts: list[int] = []
    bit, words, block_end = _HEADER_BITS, 0, 0
    while words < header.words:
        if bit >= last_bit:
            raise BadPrompt(f"rle is cut short after {words} of {header.words} words")
        if bit >= block_end:
            base = bit
            block_end = min(bit + 8 * _BLOCK_BYTES, last_bit)
            _, counts, bits = _tokens(padded, np.arange(base, block_end), header)
            count_at, bits_at = counts.data, bits.data
        starts.append(bit)
        words += count_at[bit - base]
        bit += bits_at[bit - base]
    if bit > last_bit or words > header.words:
        raise BadPrompt(f"rle does not end after the {header.words} words that it announces")
    return np.array(starts, np.int64)


def _tokens(padded: NDArray[np.uint8], starts: _Ints, header: _Header) -> tuple[NDArray[np.bool_], _Ints, _Ints]:
    """Of the tokens at `starts`: whether each is a run, how many words it stands for, how many bits it takes."""
    window = _window(padded, starts)
    is_run, width = window >> 31 == 1, header.widths[window >> 29 & 3]
    counts = (window >> (29 - width) & ((1 << width) - 1)) + 1
    return is_run, counts, 3 + width + np.where(is_run, 1, counts) * header.word_bits


def _runs(padded: NDArray[np.uint8], starts: _Ints, header: _Header) -> tuple[_Ints, NDArray[np.bool_]]:
    """Lengths in words of all runs, and whether each is opaque; a literal word is a run of one."""
    is_run, counts, bits = _tokens(padded, starts, header)
    pieces = np.where(is_run, 1, counts)
    within = np.arange(pieces.sum()) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    first_word = starts + bits - pieces * header.word_bits
    words = _window(padded, np.repeat(first_word, pieces) + within * header.word_bits) >> (32 - header.word_bits)
    return np.repeat(np.where(is_run, counts, 1), pieces), words != 0


def _window(padded: NDArray[np.uint8], bits: _Ints) -> _Ints:
    """The 32 bits that start at each of `bits`."""
    first = bits >> 3
    forty = np.zeros(len(bits), np.int64)
    for offset in range(5):
        forty = forty << 8 | padded[first + offset]
    return forty >> (8 - (bits & 7)) & 0xFFFFFFFF
