"""What regions cover of their image, read by other code than the server's."""

import base64
import io
from collections.abc import Sequence
from functools import reduce
from typing import Any

import numpy as np
from PIL import Image
from shapely.geometry import Polygon

from server.core.prediction import Mask
from tests.studio import decode_mask
from tests.unit.masks import disc, rasterise


def covered(regions: Sequence[dict[str, Any]], size: tuple[int, ...]) -> Mask:
    """All that the regions cover together of an image of (height, width) px; pixels count by their centres."""
    return reduce(np.logical_or, map(mask_of, regions), np.zeros(size, bool))


def mask_of(region: dict[str, Any]) -> Mask:
    """(H, W) that one region covers; what the editor could not show fails here."""
    match region["value"]:
        case {"rle": _}:
            return decode_mask(region)
        case {"imageDataURL": url}:
            return _opaque(url)
        case {"points": points}:
            return _filled(points, region)
        case {"vertices": vertices}:
            return _filled([(vertex["x"], vertex["y"]) for vertex in vertices], region)
        case {"radiusX": rx, "radiusY": ry, "x": x, "y": y, "rotation": rotation}:
            height, width = _size(region)
            radii = rx * width / 100, ry * height / 100
            return disc(height, width, x * width / 100, y * height / 100, radii, rotation)
        case {"x": x, "y": y, "width": across, "height": down, "rotation": 0}:
            corners = [(x, y), (x + across, y), (x + across, y + down), (x, y + down)]
            return _filled(corners, region)
        case other:
            raise AssertionError(f"the editor knows no region with {set(other)}")


def _opaque(url: str) -> Mask:
    kind, content = url.split(",")
    assert kind == "data:image/png;base64"
    alpha = np.asarray(Image.open(io.BytesIO(base64.b64decode(content))).convert("RGBA"))[..., 3]
    mask: Mask = alpha == 255
    return mask


def _filled(corners: Sequence[Sequence[float]], region: dict[str, Any]) -> Mask:
    """The inside of a ring in percent; one that geometry libraries refuse fails here."""
    assert Polygon(corners).is_valid
    return rasterise([corners], *_size(region))


def _size(region: dict[str, Any]) -> tuple[int, int]:
    return region["original_height"], region["original_width"]
