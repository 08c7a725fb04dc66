"""Pictures that look photographed, of objects whose masks are known: shaded pebbles on a mottled table."""

import io
import uuid
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from server.core.geometry import ImageSize
from server.core.prediction import Mask

COLUMNS, ROWS = 3, 2
_DRAWN = 1200  # px, the longest side that is drawn; larger pictures are enlarged from it
_MARKER = b"\xff\xfe"  # a comment in a JPEG file


@dataclass(frozen=True)
class Pebble:
    """An ellipse; places and half axes as shares of the picture's width and height, turned by `angle` radians."""

    x: float
    y: float
    radius: float  # of the longer half axis, as a share of the height
    flatness: float
    angle: float

    def distance(self, size: ImageSize) -> NDArray[np.float32]:
        """(H, W): 0 in its middle, 1 on its edge."""
        rows = (np.arange(size.height, dtype=np.float32)[:, None] + 0.5) / size.height - self.y
        columns = ((np.arange(size.width, dtype=np.float32)[None] + 0.5) / size.width - self.x) * size.width
        columns = columns / size.height
        along = columns * np.float32(np.cos(self.angle)) + rows * np.float32(np.sin(self.angle))
        across = rows * np.float32(np.cos(self.angle)) - columns * np.float32(np.sin(self.angle))
        distance: NDArray[np.float32] = np.hypot(along / self.radius, across / (self.radius * self.flatness))
        return distance


@dataclass(frozen=True)
class Scene:
    """A picture of `size`, and what is on it."""

    size: ImageSize
    pebbles: tuple[Pebble, ...]
    jpeg: bytes

    def mask(self, number: int) -> Mask:
        """(H, W) bool: the pebble that click `number` is on."""
        return self._masks[number % len(self.pebbles)]

    def place(self, number: int) -> tuple[float, float]:
        """Where click `number` is, in percent: on one pebble after the other, and never twice at one place."""
        pebble = self.pebbles[number % len(self.pebbles)]
        turn, far = 2.4 * number, 0.3 * pebble.radius * pebble.flatness * ((0.618 * number) % 1)
        x = pebble.x + far * np.cos(turn) * self.size.height / self.size.width
        return 100 * float(x), 100 * float(pebble.y + far * np.sin(turn))

    def fresh(self) -> bytes:
        """The picture as a file of which no backend has seen the bytes."""
        comment = uuid.uuid4().bytes
        return self.jpeg[:2] + _MARKER + (len(comment) + 2).to_bytes(2, "big") + comment + self.jpeg[2:]

    @cached_property
    def _masks(self) -> list[Mask]:
        return [pebble.distance(self.size) < 1 for pebble in self.pebbles]


def draw_scene(width: int, height: int, seed: int) -> Scene:
    """The scene of this seed, at this size."""
    rng, size = np.random.default_rng(seed), ImageSize(height, width)
    scale = min(1.0, _DRAWN / size.longest)
    small = ImageSize(round(height * scale), round(width * scale))
    pebbles = tuple(_pebble(rng, k) for k in range(COLUMNS * ROWS))
    picture = _table(rng, small)
    for pebble in pebbles:
        _put(picture, pebble.distance(small), rng)
    picture += 3 * rng.standard_normal(picture.shape, np.float32)
    pixels = cv2.resize(picture.clip(0, 255).astype(np.uint8), (width, height), interpolation=cv2.INTER_CUBIC)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=90)
    return Scene(size, pebbles, buffer.getvalue())


def _pebble(rng: np.random.Generator, number: int) -> Pebble:
    row, column = divmod(number, COLUMNS)
    x, y = (column + 0.5 + rng.uniform(-0.08, 0.08)) / COLUMNS, (row + 0.5 + rng.uniform(-0.08, 0.08)) / ROWS
    return Pebble(x, y, rng.uniform(0.12, 0.19), rng.uniform(0.65, 0.95), rng.uniform(0, np.pi))


def _table(rng: np.random.Generator, size: ImageSize) -> NDArray[np.float32]:
    """(H, W, 3): clouds of several sizes in one tint, darker towards the corners."""
    clouds = np.zeros((size.height, size.width), np.float32)
    for cells in (3, 9, 30, 90):
        noise = rng.normal(0, 1, (cells, cells * size.width // size.height)).astype(np.float32)
        cloud = cv2.resize(noise, (size.width, size.height), interpolation=cv2.INTER_CUBIC)
        clouds += np.asarray(cloud, np.float32) / cells**0.5
    edge = Pebble(0.5, 0.5, 0.5 * np.hypot(size.width, size.height) / size.height, 1, 0).distance(size)
    tint = rng.uniform(45, 110, 3).astype(np.float32)
    shade: NDArray[np.float32] = (1 + 0.16 * clouds) * (1 - 0.35 * edge**2)
    return shade[..., None] * tint


def _put(picture: NDArray[np.float32], distance: NDArray[np.float32], rng: np.random.Generator) -> None:
    """Paints a pebble, lit from above left, with its shadow, into the picture."""
    slant = max(3, picture.shape[0] // 60)
    near = np.roll(distance, (slant, slant), (0, 1))
    picture *= (1 - 0.45 * np.clip(1.25 - near, 0, 0.4) / 0.4)[..., None]
    dome = np.sqrt(np.clip(1 - distance**2, 0, 1))
    lit = 0.72 + 0.28 * dome + 0.1 * (np.roll(dome, (slant, slant), (0, 1)) - dome)
    color = rng.uniform(110, 245, 3).astype(np.float32)
    grain = cv2.GaussianBlur(rng.normal(0, 1, distance.shape).astype(np.float32), (0, 0), 2.5)
    edge = np.clip((1 - distance) * 0.15 * picture.shape[0] + 0.5, 0, 1)[..., None]
    picture *= 1 - edge
    picture += edge * color * (lit * (1 + 0.12 * grain))[..., None]
