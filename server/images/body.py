"""The body of an HTTP response, within a limit of size, unpacked if it comes packed."""

import asyncio
import zlib

import httpx

from server.errors import ImageRefused, ImageUnavailable
from server.images.url import redacted

_GZIP = 16 + zlib.MAX_WBITS


async def read_body(response: httpx.Response, max_bytes: int) -> bytes:
    """The body, while it is no larger than `max_bytes`, neither as it comes nor unpacked.

    Raises:
        ImageRefused: it is larger, or packed in another way than gzip.
        ImageUnavailable: its gzip is broken or cut short.
    """
    url = redacted(str(response.url))
    coding = response.headers.get("Content-Encoding", "").lower() or "identity"
    if coding not in ("identity", "gzip", "x-gzip"):
        raise ImageRefused(f"{url} is sent compressed ({coding}), which is not unpacked; send it plain or as gzip")
    too_large = ImageRefused(f"{url} is larger than {max_bytes >> 20} MiB; to allow it, raise SAMSERVE_MAX_IMAGE_MIB")
    body = await _read(response, max_bytes, too_large)
    if coding == "identity":
        return bytes(body)
    try:
        unpacked = await asyncio.to_thread(_unpack, body, max_bytes)
    except (zlib.error, EOFError) as error:
        raise ImageUnavailable(f"{url} cannot be unpacked: {error}") from None
    if len(unpacked) > max_bytes:
        raise ImageRefused(f"unpacked, {too_large}")
    return unpacked


async def _read(response: httpx.Response, max_bytes: int, too_large: ImageRefused) -> bytearray:
    length = response.headers.get("Content-Length", "")
    if length.isdecimal() and int(length) > max_bytes:
        raise too_large
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > max_bytes:
            raise too_large
    return body


def _unpack(packed: bytearray, max_bytes: int) -> bytes:
    """At most one byte more than `max_bytes`, however much there is."""
    unpacker = zlib.decompressobj(_GZIP)
    unpacked = unpacker.decompress(packed, max_bytes + 1)
    if len(unpacked) <= max_bytes and not unpacker.eof:
        raise EOFError("its gzip is cut short")
    return unpacked
