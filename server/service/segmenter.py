"""From a click to the regions that answer it."""

import asyncio
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

from server.core.context import Gesture
from server.core.labelconfig import ControlTag
from server.core.look import Look
from server.core.options import AnswerOptions
from server.core.prompt import Carving
from server.core.reference import ImageReference
from server.core.region import Region, regions
from server.errors import Overloaded
from server.service.demand import Priority
from server.service.drawings import Drawing, Drawings
from server.service.embedder import Embedder
from server.service.magnifier import Magnifier
from server.service.refiner import Refiner
from server.stages import queued, stage


class Segmenter:
    """Answers gestures; decoding has one thread of its own, so that it never waits for an encode of another image."""

    def __init__(
        self, embedder: Embedder, magnifier: Magnifier, refiner: Refiner, decoder: Executor, capacity: int
    ) -> None:
        self._embedder, self._magnifier, self._refiner, self._decoder = embedder, magnifier, refiner, decoder
        self._capacity, self._under_way, self._drawings = capacity, 0, Drawings()

    async def segment(
        self, reference: ImageReference, gestures: Sequence[Gesture], control: ControlTag, options: AnswerOptions
    ) -> list[Region]:
        """The regions of `control` for each gesture, in the gestures' order; an empty mask has none.

        None either where a newer call asks for the same items and more before this one's turn: its answer is the one
        that is shown.

        Raises:
            Overloaded: `capacity` calls are under way already.
            ImageError: the image cannot be had, or is none.
        """
        gestures = [_choosing(gesture, options) for gesture in gestures]
        last = gestures[-1]
        scene = (reference, last.to_name, last.from_name, last.item_index)
        with self._place(), self._drawings.enter(scene, last.item_ids) as drawing:
            look = await self._embedder.look(reference, Priority.CLICK)
            if len(gestures) == 1 and not drawing.superseded:  # several would wait for an encode each
                look = await self._magnifier.closer(look, last, options.crop)
            work = partial(self._regions, drawing, look, gestures, control, options)
            return await asyncio.get_running_loop().run_in_executor(self._decoder, queued(work))

    @contextmanager
    def _place(self) -> Iterator[None]:
        if self._under_way >= self._capacity:
            raise Overloaded(f"{self._under_way} clicks are waiting already; try again in a moment")
        self._under_way += 1
        try:
            yield
        finally:
            self._under_way -= 1

    def _regions(
        self,
        drawing: Drawing,
        look: Look,
        gestures: Sequence[Gesture],
        control: ControlTag,
        options: AnswerOptions,
    ) -> list[Region]:
        answered: list[Region] = []
        if drawing.superseded:
            return answered
        for gesture in gestures:
            refined = self._refiner.decode(look, gesture)
            with stage("result"):
                answered += regions(refined.prediction, refined.region_id, gesture, control, options) if refined else []
        return answered


def _choosing(gesture: Gesture, options: AnswerOptions) -> Gesture:
    if isinstance(gesture.prompt, Carving):
        return gesture
    return replace(gesture, prompt=replace(gesture.prompt, choice=options.choose))
