"""Looks at small objects on large images in a crop of their own, for one more encode per object."""

import asyncio
from concurrent.futures import Executor
from dataclasses import replace
from functools import partial

import structlog

from server.core.close_up import crop_around, extent, is_large
from server.core.crop import Crop, in_pixels
from server.core.embedding import ImageEmbedding
from server.core.geometry import Box
from server.core.prompt import Prompt
from server.core.reference import ImageReference
from server.errors import ImageError, Overloaded
from server.service.embedder import Embedder
from server.service.ports import Model

_GLANCE = 1024  # px of the longest side of the mask that tells how large an object is

log = structlog.get_logger("samserve.magnifier")


class Magnifier:
    """Chooses between an image and a part of it."""

    def __init__(self, embedder: Embedder, model: Model, decoder: Executor) -> None:
        self._embedder, self._model, self._decoder = embedder, model, decoder

    async def closer(
        self, reference: ImageReference, embedding: ImageEmbedding, prompt: Prompt
    ) -> tuple[ImageReference, ImageEmbedding]:
        """What to decode a prompt on: a part of the image for a small object; else, or where that fails, the image."""
        crop = await self._crop(embedding, prompt)
        if crop is None:
            return reference, embedding
        part = replace(reference, crop=crop)
        try:
            return part, await self._embedder.embed(part)
        except (ImageError, Overloaded) as error:
            log.warning("crop_left_out", task=reference.task, reason=str(error))
            return reference, embedding

    async def _crop(self, embedding: ImageEmbedding, prompt: Prompt) -> Crop | None:
        if not is_large(embedding.size):
            return None
        marks = in_pixels(replace(prompt, drawn=None), embedding.size)
        if marks.box:
            return crop_around(marks.box, embedding.size)
        look = partial(self._glance, embedding, marks)
        return crop_around(await asyncio.get_running_loop().run_in_executor(self._decoder, look), embedding.size)

    def _glance(self, embedding: ImageEmbedding, prompt: Prompt) -> Box:
        """Around the positive clicks and the mask of the first of them, so that clicks that are added keep the crop."""
        clicks = [point for point in prompt.points if point.positive]
        coarse = prompt.frame.shrunk(_GLANCE)
        mask = self._model.decode(embedding, in_pixels(Prompt(prompt.frame, (clicks[0],)), coarse)).mask
        return extent(mask, clicks, prompt.frame)
