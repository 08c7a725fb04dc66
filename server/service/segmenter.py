"""From a click to the regions that answer it."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import Executor
from functools import partial

from server.core.context import Gesture
from server.core.embedding import ImageEmbedding
from server.core.labelconfig import ControlTag
from server.core.options import AnswerOptions
from server.core.reference import ImageReference
from server.core.region import Region, regions
from server.errors import Overloaded
from server.service.embedder import Embedder
from server.service.magnifier import Magnifier
from server.service.refiner import Refiner


class Segmenter:
    """Answers gestures; decoding has one thread of its own, so that it never waits for an encode of another image."""

    def __init__(
        self, embedder: Embedder, magnifier: Magnifier, refiner: Refiner, decoder: Executor, capacity: int
    ) -> None:
        self._embedder, self._magnifier, self._refiner, self._decoder = embedder, magnifier, refiner, decoder
        self._capacity = capacity
        self._under_way = 0

    async def segment(
        self, reference: ImageReference, gestures: Sequence[Gesture], control: ControlTag, options: AnswerOptions
    ) -> list[Region]:
        """The regions of `control` for each gesture, in the gestures' order; an empty mask has none.

        Raises:
            Overloaded: `capacity` calls are under way already.
            ImageError: the image cannot be had, or is none.
        """
        if self._under_way >= self._capacity:
            raise Overloaded(f"{self._under_way} clicks are waiting already; try again in a moment")
        self._under_way += 1
        try:
            embedding = await self._embedder.embed(reference)
            if options.crop == "auto" and len(gestures) == 1:  # several at once would wait for an encode each
                reference, embedding = await self._magnifier.closer(reference, embedding, gestures[0].prompt)
            work = partial(self._regions, embedding, reference, gestures, control, options)
            return await asyncio.get_running_loop().run_in_executor(self._decoder, work)
        finally:
            self._under_way -= 1

    def _regions(
        self,
        embedding: ImageEmbedding,
        reference: ImageReference,
        gestures: Sequence[Gesture],
        control: ControlTag,
        options: AnswerOptions,
    ) -> list[Region]:
        return [
            region
            for gesture in gestures
            for region in regions(self._refiner.decode(embedding, reference, gesture), gesture, control, options)
        ]
