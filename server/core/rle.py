"""A mask as Label Studio's brush RLE.

The format is thi.ng/rle-pack over the RGBA-expanded mask (each pixel four equal bytes, 0 or 255, row by row):
a bit stream, most significant bit first, of `num` (32 bits, the number of words), word size - 1 (5 bits) and four
run-length field widths - 1 (4 bits each), then per run: 1 (run flag, 1 bit), index of the field width (2 bits),
run length - 1 (that many bits), the word (8 bits); padded with 0 bits to a whole byte.
https://github.com/thi-ng/umbrella/blob/develop/packages/rle-pack/README.md
"""

import numpy as np
from numpy.typing import NDArray

from server.core.prediction import Mask

_BYTES_PER_PIXEL = 4
_WIDTHS = np.array([3, 4, 8, 16], np.uint32)  # what Label Studio's own encoder writes
_HEADER_TAIL = bytes([0b00111_001, 0b0_0011_011, 0b1_1111_000])  # word size 8, widths 3 4 8 16; 21 bits of it
_HEADER_BITS = 32 + 21
_MAX_RUN = 1 << 16  # words in one token
_MAX_NUM = (1 << 32) - 1


def encode_rle(mask: Mask) -> NDArray[np.uint8]:
    """The RLE of a (H, W) bool mask as (N,) uint8; `num` is 4 * H * W.

    Raises:
        ValueError: the mask has more pixels than the format's 32-bit count can say.
    """
    if mask.size * _BYTES_PER_PIXEL > _MAX_NUM:
        raise ValueError(f"a mask of {mask.size} pixels does not fit Label Studio's RLE")
    counts, values = _tokens(mask.reshape(-1))
    header = np.frombuffer(np.uint32(mask.size * _BYTES_PER_PIXEL).byteswap().tobytes() + _HEADER_TAIL, np.uint8)
    return np.packbits(np.concatenate([np.unpackbits(header)[:_HEADER_BITS], _token_bits(counts, values)]))


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


def _token_bits(counts: NDArray[np.uint32], values: NDArray[np.uint32]) -> NDArray[np.uint8]:
    """The bits (0 or 1 each) of all tokens, one after the other."""
    width_index = np.searchsorted(1 << _WIDTHS.astype(np.int64), counts).astype(np.uint32)
    widths = _WIDTHS[width_index]
    tokens = (((4 | width_index) << widths | (counts - 1)) << 8) | values
    lengths = 3 + widths + 8  # at most 27 bits
    aligned = (tokens << (32 - lengths)).astype(">u4")
    bits = np.unpackbits(aligned.view(np.uint8).reshape(-1, 4), axis=1)  # (tokens, 32)
    return bits[np.arange(32) < lengths[:, None]]
