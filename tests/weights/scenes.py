"""Pictures for tests that need an object under each click."""

import io

import numpy as np
from PIL import Image

DISCS = 5


def scene(number: int) -> bytes:
    """Bright discs on a dark, noisy ground, of a size that no other scene has."""
    rng = np.random.default_rng(number)
    height, width = 300 + 20 * number, 480
    rows, columns = np.mgrid[:height, :width]
    picture = rng.normal(60, 12, (height, width, 3))
    for k in range(DISCS):
        disc = (rows - 150) ** 2 + (columns - (60 + 90 * k)) ** 2 < (20 + 3 * number) ** 2
        picture[disc] = rng.integers(120, 255, 3)
    buffer = io.BytesIO()
    Image.fromarray(picture.clip(0, 255).astype(np.uint8)).save(buffer, "JPEG", quality=92)
    return buffer.getvalue()
