"""From a region, as Label Studio stores it, to its mask."""

import base64
import io

import numpy as np
from label_studio_sdk.converter.brush import decode_rle
from PIL import Image, ImageDraw

from tests.e2e.api import Json
from tests.e2e.pictures import Mask


def mask_of(region: Json) -> Mask:
    """(H, W) in the picture's own pixels.

    Raises:
        KeyError: it is neither a brush nor a bitmask nor a polygon region.
    """
    value, height, width = region["value"], region["original_height"], region["original_width"]
    if "rle" in value:
        painted: Mask = np.asarray(decode_rle(value["rle"])).reshape(height, width, 4)[..., 3] > 0
        return painted
    if "imageDataURL" in value:
        png = base64.b64decode(value["imageDataURL"].partition(",")[2])
        bitmask: Mask = np.asarray(Image.open(io.BytesIO(png)).convert("RGBA"))[..., 3] > 0
        return bitmask
    canvas = Image.new("1", (width, height))
    corners = [(x * width / 100, y * height / 100) for x, y in value["points"]]
    ImageDraw.Draw(canvas).polygon(corners, fill=1)
    return np.asarray(canvas)
