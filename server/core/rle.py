"""A mask as Label Studio's brush RLE.

The format is thi.ng/rle-pack over the RGBA-expanded mask (each pixel four equal bytes, 0 or 255, row by row):
a bit stream, most significant bit first, of `num` (32 bits, the number of words), word size - 1 (5 bits) and four
run-length field widths - 1 (4 bits each), then per run: 1 (run flag, 1 bit), index of the field width (2 bits),
run length - 1 (that many bits), the word (8 bits); padded with 0 bits to a whole byte.
https://github.com/thi-ng/umbrella/blob/develop/packages/rle-pack/README.md
"""

from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from server.core.prediction import Mask

_BYTES_PER_PIXEL = 4
_WORD_BITS = 8
_MAX_WIDTH = 16
_MAX_RUN = 1 << _MAX_WIDTH  # words in one token
_MAX_NUM = (1 << 32) - 1
# all choices of four field widths of which the widest holds any run: (choices, 4)
_CHOICES = np.array([(*narrower, _MAX_WIDTH) for narrower in combinations(range(1, _MAX_WIDTH), 3)])
# the field that a run of so many bits takes under each choice: (choices, 17)
_FIELDS = np.array([[min(w for w in choice if w >= bits) for bits in range(_MAX_WIDTH + 1)] for choice in _CHOICES])


def encode_rle(mask: Mask) -> NDArray[np.uint8]:
    """The RLE of a (H, W) bool mask as (N,) uint8, with the field widths that make it shortest; `num` is 4 * H * W.

    Raises:
        ValueError: the mask has more pixels than the format's 32-bit count can say.
    """
    if mask.size * _BYTES_PER_PIXEL > _MAX_NUM:
        raise ValueError(f"a mask of {mask.size} pixels does not fit Label Studio's RLE")
    counts, values = _tokens(mask.reshape(-1))
    widths = _best_widths(counts)
    header = _bits([mask.size * _BYTES_PER_PIXEL, _WORD_BITS - 1, *(widths - 1).tolist()], [32, 5, 4, 4, 4, 4])
    return np.packbits(np.concatenate([header, _token_bits(counts, values, widths)]))


def _tokens(flat: NDArray[np.bool_]) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    """Run lengths in words, none over 65,536, and the value (0 or 255) of each."""
    if not flat.size:
        return np.zeros(0, np.uint32), np.zeros(0, np.uint32)
    starts = np.concatenate([[0], np.flatnonzero(flat[1:] != flat[:-1]) + 1])
    words = np.diff(starts, append=flat.size) * _BYTES_PER_PIXEL
    values = np.where(flat[starts], 255, 0).astype(np.uint32)
    pieces = -(-words // _MAX_RUN)
    counts = np.full(int(pieces.sum()), _MAX_RUN, np.int64)
    counts[np.cumsum(pieces) - 1] = words - (pieces - 1) * _MAX_RUN
    return counts.astype(np.uint32), np.repeat(values, pieces)


def _best_widths(counts: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """The four field widths, ascending, under which the runs take the fewest bits."""
    bits = np.ceil(np.log2(np.maximum(counts, 1))).astype(np.intp)  # what `run - 1` takes, 0 to 16
    lengths = np.bincount(bits, minlength=_MAX_WIDTH + 1)
    best: NDArray[np.uint32] = _CHOICES[int((_FIELDS @ lengths).argmin())].astype(np.uint32)
    return best


def _token_bits(
    counts: NDArray[np.uint32], values: NDArray[np.uint32], widths: NDArray[np.uint32]
) -> NDArray[np.uint8]:
    """The bits (0 or 1 each) of all tokens, one after the other."""
    width_index = np.searchsorted(1 << widths.astype(np.int64), counts).astype(np.uint32)
    width = widths[width_index]
    tokens = (((4 | width_index) << width | (counts - 1)) << _WORD_BITS) | values
    return _bits(tokens, 3 + width + _WORD_BITS)  # at most 27 bits


def _bits(numbers: ArrayLike, lengths: ArrayLike) -> NDArray[np.uint8]:
    """Numbers of so many bits (at most 32) each as bits (0 or 1 each), most significant first."""
    sizes = np.asarray(lengths, np.uint32)
    aligned = (np.asarray(numbers, np.uint32) << (32 - sizes)).astype(">u4")
    bits = np.unpackbits(aligned.view(np.uint8).reshape(-1, 4), axis=1)  # (numbers, 32)
    return bits[np.arange(32) < sizes[:, None]]
