"""Looks at small objects on large images in a crop of their own, for one more encode per object."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import replace
from functools import partial
from typing import TypeVar

import structlog

from server.core.close_up import crop_around, extent, is_large
from server.core.context import Gesture
from server.core.crop import Crop, in_pixels
from server.core.embedding import ImageEmbedding
from server.core.geometry import Box
from server.core.look import Look
from server.core.prompt import Carving, Prompt
from server.errors import ImageError, Overloaded
from server.service.demand import Priority
from server.service.embedder import Embedder
from server.service.ports import Model
from server.service.refiner import Refiner
from server.stages import queued

T = TypeVar("T")
_GLANCE = 1024  # px of the longest side of the mask that tells how large an object is

log = structlog.get_logger("samserve.magnifier")


class Magnifier:
    """Chooses between an image and a part of it."""

    def __init__(self, embedder: Embedder, refiner: Refiner, model: Model, decoder: Executor) -> None:
        self._embedder, self._refiner, self._model, self._decoder = embedder, refiner, model, decoder

    async def closer(self, look: Look, gesture: Gesture, crop: str) -> Look:
        """What to decode a gesture on, given the look at the whole image.

        A small object is looked at in a crop, unless `crop` is "off", or that fails. A mask is carved where it was
        found, as nothing else tells the same mask.

        Raises:
            ImageError: the crop that a mask was found on cannot be had any more.
            Overloaded: it cannot be had just now.
        """
        if not is_large(look.whole.size):
            return look
        if isinstance(gesture.prompt, Carving):
            found_on = await self._decoding(partial(self._refiner.crop_carved, look, gesture))
            return await self._part(look, found_on) if found_on else look
        part = await self._crop(look.whole, gesture.prompt) if crop == "auto" else None
        try:
            return await self._part(look, part) if part else look
        except (ImageError, Overloaded) as error:
            log.warning("crop_left_out", task=look.reference.task, reason=str(error))
            return look

    async def _part(self, look: Look, crop: Crop) -> Look:
        embedding = await self._embedder.embed(replace(look.reference, crop=crop), Priority.CLICK)
        return replace(look, embedding=embedding, crop=crop)

    async def _crop(self, embedding: ImageEmbedding, prompt: Prompt) -> Crop | None:
        marks = in_pixels(replace(prompt, drawn=None), embedding.size)
        if marks.box:
            return crop_around(marks.box, embedding.size)
        return crop_around(await self._decoding(partial(self._glance, embedding, marks)), embedding.size)

    def _glance(self, embedding: ImageEmbedding, prompt: Prompt) -> Box:
        """Around the positive clicks and the mask of the first of them, so that clicks that are added keep the crop."""
        clicks = [point for point in prompt.points if point.positive]
        first = in_pixels(replace(prompt, points=(clicks[0],)), prompt.frame.shrunk(_GLANCE))
        return extent(self._model.decode(embedding, first).mask, clicks, prompt.frame)

    async def _decoding(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._decoder, queued(work))
