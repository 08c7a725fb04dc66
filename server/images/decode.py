"""An image file's bytes -> RGB pixels, upright."""

import importlib
import io
import struct

import numpy as np
from PIL import Image as PillowImage
from PIL import ImageOps

from server.core.embedding import Image
from server.core.image_formats import SUFFIXES
from server.errors import ImageRefused, ImageUnreadable
from server.images.tones import rgb


def _has_heif() -> bool:
    """Whether Pillow can open HEIC; a library that many leave out, for its license, adds that."""
    try:
        importlib.import_module("pillow_heif").register_heif_opener()
    except ImportError:
        return False
    return True


_FORMATS = tuple(name for name in SUFFIXES if name != "HEIF" or _has_heif())
_HEIF_BRANDS = (b"heic", b"heix", b"heif", b"hevc", b"mif1", b"msf1")
PillowImage.MAX_IMAGE_PIXELS = None  # the limit is checked below, where its message can name the setting


def decode_image(content: bytes, max_pixels: int) -> Image:
    """(H, W, 3) uint8 RGB with the EXIF orientation applied.

    Raises:
        ImageRefused: it has more than `max_pixels`; nothing is decoded then.
        ImageUnreadable: it is no image of a known format, or is cut short.
    """
    if not content:
        raise ImageUnreadable("the image file is empty")
    try:
        image = PillowImage.open(io.BytesIO(content), formats=_FORMATS)
    except Exception as error:  # format plugins raise whatever a broken header makes them raise
        raise ImageUnreadable(
            f"these {len(content)} bytes are not an image of a known format{_hint(content)}; "
            f"accepted are {', '.join(_FORMATS)}"
        ) from error
    if image.width * image.height > max_pixels:
        raise ImageRefused(
            f"the image has {image.width} x {image.height} px, more than {max_pixels / 1e6:g} megapixels; "
            f"to allow it, raise SAMSERVE_MAX_MEGAPIXELS"
        )
    try:
        image.load()
        return np.asarray(rgb(_upright(image)))
    except Exception as error:  # likewise
        raise ImageUnreadable(f"the {image.format} image cannot be decoded: {error}") from error


def _upright(image: PillowImage.Image) -> PillowImage.Image:
    try:
        return ImageOps.exif_transpose(image)
    except (SyntaxError, ValueError, OSError, struct.error):  # broken EXIF says nothing about the orientation
        return image


def _hint(content: bytes) -> str:
    if content.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"<":
        return ": it looks like HTML or XML, perhaps a login or error page"
    if content[4:8] == b"ftyp" and content[8:12] in _HEIF_BRANDS and "HEIF" not in _FORMATS:
        return ": it looks like HEIC, which needs the package pillow-heif: make heif (docs/images.md)"
    return ""
