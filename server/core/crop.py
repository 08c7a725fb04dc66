"""A part of an image with pixels of its own: what it shows of the image, of a prompt and of a mask."""

import hashlib
from dataclasses import dataclass, replace

import cv2
import numpy as np

from server.core.embedding import Image
from server.core.geometry import Box, ImageSize, Point
from server.core.prediction import Mask, MaskPrediction
from server.core.prompt import Prompt
from server.errors import ImageUnavailable


@dataclass(frozen=True, slots=True)
class Crop:
    """A rectangle of whole pixels of an image, from (left, top); all of it lies in the image."""

    left: int
    top: int
    size: ImageSize
    image: ImageSize

    def identity(self, image_sha256: str) -> str:
        """What its embedding is kept under: a sha256 (hex) that no image and no other crop has."""
        place = f"{self.left} {self.top} {self.size.width} {self.size.height} of {image_sha256}"
        return hashlib.sha256(place.encode()).hexdigest()

    def cut(self, image: Image) -> Image:
        """Its pixels.

        Raises:
            ImageUnavailable: the image is not the one that it was made for.
        """
        if image.shape[:2] != (self.image.height, self.image.width):
            raise ImageUnavailable("the image was replaced by one of another size in this moment; click again")
        return image[self._window]

    def prompt(self, prompt: Prompt) -> Prompt:
        """What a prompt on the image asks of the crop; clicks outside say nothing about what is inside."""
        points = tuple(point for point in (self.point(p, prompt.frame) for p in prompt.points) if self._holds(point))
        whole = in_pixels(prompt, self.image)
        box = whole.box and self._moved(whole.box)
        drawn = None if whole.drawn is None else whole.drawn[self._window]
        return replace(prompt, frame=self.size, points=points, box=box, drawn=drawn, previous=None)

    def point(self, point: Point, frame: ImageSize) -> Point:
        """A point in a frame of the whole image, from the crop's top-left corner; it may lie outside."""
        on_image = _scaled(point, frame, self.image)
        return replace(on_image, x=on_image.x - self.left, y=on_image.y - self.top)

    def prediction(self, part: MaskPrediction, frame: ImageSize) -> MaskPrediction:
        """The crop's mask in a frame of the whole image, empty outside; the logits stay the crop's."""
        mask: Mask = np.zeros((self.image.height, self.image.width), np.bool_)
        mask[self._window] = part.mask
        return replace(part, mask=_resized(mask, frame))

    def _holds(self, point: Point) -> bool:
        return 0 <= point.x <= self.size.width and 0 <= point.y <= self.size.height

    def _moved(self, box: Box) -> Box:
        return Box(box.x1 - self.left, box.y1 - self.top, box.x2 - self.left, box.y2 - self.top)

    @property
    def _window(self) -> tuple[slice, slice]:
        return (
            slice(self.top, self.top + self.size.height),
            slice(self.left, self.left + self.size.width),
        )


def in_pixels(prompt: Prompt, size: ImageSize) -> Prompt:
    """A prompt in another frame, such as the image's own pixels where the editor's frame differs."""
    if prompt.frame == size:
        return prompt
    across, down = size.width / prompt.frame.width, size.height / prompt.frame.height
    points = tuple(_scaled(point, prompt.frame, size) for point in prompt.points)
    box = prompt.box and Box(prompt.box.x1 * across, prompt.box.y1 * down, prompt.box.x2 * across, prompt.box.y2 * down)
    drawn = None if prompt.drawn is None else _resized(prompt.drawn, size)
    return replace(prompt, frame=size, points=points, box=box, drawn=drawn)


def _scaled(point: Point, frame: ImageSize, size: ImageSize) -> Point:
    return replace(point, x=point.x * (size.width / frame.width), y=point.y * (size.height / frame.height))


def _resized(mask: Mask, size: ImageSize) -> Mask:
    if mask.shape == (size.height, size.width):
        return mask
    resized = cv2.resize(mask.view(np.uint8), (size.width, size.height), interpolation=cv2.INTER_NEAREST_EXACT)
    return resized.view(np.bool_)
