"""Masks as PNG, read back by Pillow."""

import base64
import io
import time

import numpy as np
from hypothesis import given, settings
from PIL import Image

from server.core.bitmask import encode_bitmask
from server.core.prediction import Mask
from tests.unit.masks import any_mask, disc


def opened(url: str) -> Image.Image:
    head, content = url.split(",")
    assert head == "data:image/png;base64"
    return Image.open(io.BytesIO(base64.b64decode(content, validate=True)))


@settings(max_examples=100, deadline=None)
@given(any_mask())
def test_a_mask_is_opaque_white_on_transparent(mask: Mask) -> None:
    pixels = np.asarray(opened(encode_bitmask(mask)).convert("RGBA"))
    assert pixels.shape == (*mask.shape, 4)
    assert (pixels[..., 3] == np.where(mask, 255, 0)).all()
    assert (pixels[mask] == 255).all()


def test_one_bit_per_pixel_is_all_there_is() -> None:
    url = encode_bitmask(np.ones((3, 9), bool))
    header = base64.b64decode(url.split(",")[1])[16:26]
    assert header == b"\0\0\0\x09\0\0\0\x03\x01\x03"


def test_twelve_megapixels_are_small_and_soon_done() -> None:
    mask = disc(3000, 4000, 2000, 1500, (1500, 1100), 20)
    best = float("inf")
    for _ in range(3):
        started = time.perf_counter()
        url = encode_bitmask(mask)
        best = min(best, time.perf_counter() - started)
    assert best < 0.06
    assert len(url) < 40_000
