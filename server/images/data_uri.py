"""Image bytes from a data: URI (RFC 2397)."""

import base64
import binascii
from urllib.parse import unquote_to_bytes

from server.errors import ImageRefused, ImageUnreadable


def decode_data_uri(uri: str, max_bytes: int) -> bytes:
    """The bytes that `uri` carries.

    Raises:
        ImageUnreadable: it has no comma, or its base64 is broken.
        ImageRefused: it carries more than `max_bytes`.
    """
    head, comma, payload = uri.partition(",")
    if not comma:
        raise ImageUnreadable("the data: URI has no comma before its data")
    if len(payload) * 3 // 4 > max_bytes:
        raise ImageRefused(
            f"the data: URI carries more than {max_bytes >> 20} MiB; to allow it, raise SAMSERVE_MAX_IMAGE_MIB"
        )
    if not head.lower().endswith(";base64"):
        return unquote_to_bytes(payload)
    try:
        return base64.b64decode(unquote_to_bytes(payload), validate=True)
    except binascii.Error as error:
        raise ImageUnreadable(f"the data: URI's base64 is broken: {error}") from None
