"""A brush stroke or bitmask that comes as a PNG data URL."""

import base64
import io

import numpy as np
from PIL import Image as PillowImage

from server.core.geometry import ImageSize
from server.core.prediction import Mask
from server.errors import BadPrompt

_PREFIX = "data:image/png;base64,"


def decode_png_mask(url: str, size: ImageSize) -> Mask:
    """The (H, W) bool mask of a PNG of `size`: True where it is neither transparent nor black in the red channel.

    Raises:
        BadPrompt: it is no PNG data URL, cannot be decoded, or has another size.
    """
    if not url.startswith(_PREFIX):
        raise BadPrompt(f"a drawn mask must be a data URL that starts with {_PREFIX}")
    try:
        image = PillowImage.open(io.BytesIO(base64.b64decode(url[len(_PREFIX) :], validate=True)), formats=("PNG",))
    except (ValueError, OSError, SyntaxError) as error:  # not base64, or no PNG
        raise BadPrompt(f"a drawn mask is not a PNG: {error}") from None
    if (image.height, image.width) != (size.height, size.width):
        raise BadPrompt(f"a drawn mask has {image.width} x {image.height} px, its image {size.width} x {size.height}")
    try:
        pixels = np.asarray(image.convert("RGBA"))
    except (OSError, SyntaxError, ValueError) as error:
        raise BadPrompt(f"a drawn mask cannot be decoded: {error}") from None
    mask: Mask = (pixels[..., 3] > 0) & (pixels[..., 0] > 0)
    return mask
