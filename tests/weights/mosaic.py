"""Large pictures with small objects, made of the quality set's photographs."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage

from server.core.embedding import Image
from tests.weights.robot import Object

_WIDTH, _HEIGHT = 4600, 3400  # px; a little less is filled
_IGNORED = 255


@dataclass(frozen=True)
class Picture:
    """Photographs side by side.

    Attributes:
        labels: (H, W) uint8; 0 is background, 255 is left out of every IoU, each other number is one object.
    """

    name: str
    pixels: Image
    labels: NDArray[np.uint8]

    def objects(self) -> Iterator[Object]:
        """Its objects, by number."""
        for number in range(1, int(self.labels[self.labels != _IGNORED].max()) + 1):
            mask = self.labels == number
            rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
            bbox = (float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1))
            yield Object(Path(self.name), mask, self.labels == _IGNORED, bbox)


def mosaics(folder: Path, scale: int) -> Iterator[Picture]:
    """Every photograph once, enlarged `scale` times, as many to a picture of about 16 MP as fit."""
    photos = json.loads((folder / "index.json").read_bytes())["items"]
    while photos:
        pixels, labels = np.full((_HEIGHT, _WIDTH, 3), 128, np.uint8), np.zeros((_HEIGHT, _WIDTH), np.uint8)
        x = y = shelf = 0
        number = len(photos)
        for photo in list(photos):
            image, own = _enlarged(folder, photo, scale)
            height, width = own.shape
            if x + width > _WIDTH:
                x, y, shelf = 0, y + shelf, 0
            if y + height > _HEIGHT:
                break
            pixels[y : y + height, x : x + width] = image
            known = labels[labels != _IGNORED].max()
            labels[y : y + height, x : x + width] = np.where((own > 0) & (own < _IGNORED), own + known, own)
            x, shelf = x + width, max(shelf, height)
            photos.remove(photo)
        yield Picture(f"{number} photos at {scale}", pixels[: y + shelf], labels[: y + shelf])


def enlarged(folder: Path, side: int) -> Iterator[Picture]:
    """Every photograph alone, its longest side enlarged to `side` px."""
    for photo in json.loads((folder / "index.json").read_bytes())["items"]:
        image, labels = _enlarged(folder, photo, side / max(photo["width"], photo["height"]))
        yield Picture(f"{photo['image']} at {side}", image, labels)


def _enlarged(folder: Path, photo: dict[str, Any], scale: float) -> tuple[Image, NDArray[np.uint8]]:
    size = round(photo["width"] * scale), round(photo["height"] * scale)
    image = PillowImage.open(folder / photo["image"]).convert("RGB").resize(size, PillowImage.Resampling.BICUBIC)
    labels = PillowImage.open(folder / photo["mask"]).resize(size, PillowImage.Resampling.NEAREST)
    return np.asarray(image), np.asarray(labels)
