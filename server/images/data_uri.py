"""Image bytes from a data: URI (RFC 2397)."""

import base64
import binascii
from urllib.parse import unquote_to_bytes

from server.errors import ImageRefused, ImageUnreadable

_LONGEST_ESCAPED = 1 << 20  # characters; undoing the escapes takes seconds for more
_LONGEST_SPELLING = 4  # characters a byte: base64, each of its characters percent-encoded


def decode_data_uri(uri: str, max_bytes: int) -> bytes:
    """The bytes that `uri` carries.

    Raises:
        ImageUnreadable: it has no comma, or its base64 is broken.
        ImageRefused: it carries more than `max_bytes`.
    """
    head, comma, payload = uri.partition(",")
    if not comma:
        raise ImageUnreadable("the data: URI has no comma before its data")
    too_large = ImageRefused(
        f"the data: URI carries more than {max_bytes >> 20} MiB; to allow it, raise SAMSERVE_MAX_IMAGE_MIB"
    )
    if len(payload) > _LONGEST_SPELLING * max_bytes + 4:
        raise too_large
    if "%" in payload and len(payload) > _LONGEST_ESCAPED:
        raise ImageRefused(f"a percent-encoded data: URI of more than {_LONGEST_ESCAPED >> 20} MiB: use plain base64")
    unescaped = unquote_to_bytes(payload)
    content = _unpacked(unescaped) if head.lower().endswith(";base64") else unescaped
    if len(content) > max_bytes:
        raise too_large
    return content


def _unpacked(content: bytes) -> bytes:
    try:
        return base64.b64decode(content, validate=True)
    except binascii.Error as error:
        raise ImageUnreadable(f"the data: URI's base64 is broken: {error}") from None
