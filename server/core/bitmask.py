"""A mask as the PNG that Label Studio's Bitmask holds: opaque white where the object is, transparent elsewhere.

One bit per pixel: a palette of two colours, one of them transparent. https://www.w3.org/TR/png-3/
"""

import base64
import struct
import zlib

import numpy as np

from server.core.prediction import Mask

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PALETTE = b"\x00\x00\x00" + b"\xff\xff\xff"
_OPACITIES = b"\x00\xff"
_FILTER_UP = 2  # each row as its difference from the row above: masks are mostly zeros then
_LEVEL = 6


def encode_bitmask(mask: Mask) -> str:
    """The data: URL of a (H, W) bool mask, at its size."""
    height, width = mask.shape
    rows = np.packbits(mask, axis=1)  # (H, ceil(W / 8))
    filtered = np.full((height, 1 + rows.shape[1]), _FILTER_UP, np.uint8)
    filtered[0, 1:] = rows[0]
    np.subtract(rows[1:], rows[:-1], out=filtered[1:, 1:])
    header = struct.pack(">IIBBBBB", width, height, 1, 3, 0, 0, 0)  # 1 bit, palette, not interlaced
    image = _SIGNATURE + b"".join(
        [
            _chunk(b"IHDR", header),
            _chunk(b"PLTE", _PALETTE),
            _chunk(b"tRNS", _OPACITIES),
            _chunk(b"IDAT", zlib.compress(filtered.tobytes(), _LEVEL)),
            _chunk(b"IEND", b""),
        ]
    )
    return "data:image/png;base64," + base64.b64encode(image).decode()


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
