"""Any kind of Pillow image -> 8-bit RGB, as it would be shown on a white page."""

import numpy as np
from PIL import Image as PillowImage

_WHITE = (255, 255, 255)


def rgb(image: PillowImage.Image) -> PillowImage.Image:
    """`image` as RGB; more than 8 bits are scaled rather than clipped, transparency lets white through."""
    if image.mode.startswith("I;16"):  # the whole range of 16 bits, as browsers show it
        return PillowImage.fromarray((np.asarray(image) >> 8).clip(0, 255).astype(np.uint8)).convert("RGB")
    if image.mode in ("I", "F"):
        return _scaled(image).convert("RGB")
    if not image.has_transparency_data:
        return image.convert("RGB")
    shown = image.convert("RGBA")
    page = PillowImage.new("RGB", image.size, _WHITE)
    page.paste(shown, mask=shown.getchannel("A"))
    return page


def _scaled(image: PillowImage.Image) -> PillowImage.Image:
    """Values from 0 to 1 and from 0 to 255 keep their meaning; any others are stretched to their own range."""
    values = np.nan_to_num(np.asarray(image, np.float32), copy=True, nan=0.0, posinf=0.0, neginf=0.0)
    low, high = float(values.min()), float(values.max())
    if low >= 0 and high <= 1 and image.mode == "F":
        low, high = 0.0, 1.0
    elif low >= 0 and high <= 255:
        low, high = 0.0, 255.0
    values -= low
    values *= 255 / (high - low or 1.0)
    return PillowImage.fromarray(values.round().astype(np.uint8))
