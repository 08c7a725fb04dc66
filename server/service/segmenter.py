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
from server.core.outcome import Outcome
from server.core.prompt import Carving
from server.core.reference import ImageReference
from server.core.region import regions
from server.errors import Overloaded
from server.service.demand import Priority
from server.service.drawings import Drawing, Drawings
from server.service.embedder import Embedder
from server.service.magnifier import Magnifier
from server.service.refiner import Refiner
from server.stages import queued, stage

_SUPERSEDED = "a newer request holds the same drawings and more, and is answered instead"
_NOTHING_TO_CARVE = "no region of this task and label that was answered lately lies under the negative click"
_NOTHING_LEFT = "the negative click would leave nothing of the region"
_NOTHING_FOUND = "the model found no pixel of an object there"


class Segmenter:
    """Answers gestures; decoding has one thread of its own, so that it never waits for an encode of another image."""

    def __init__(
        self, embedder: Embedder, magnifier: Magnifier, refiner: Refiner, decoder: Executor, capacity: int
    ) -> None:
        self._embedder, self._magnifier, self._refiner, self._decoder = embedder, magnifier, refiner, decoder
        self._capacity, self._under_way, self._drawings = capacity, 0, Drawings()

    async def segment(
        self, reference: ImageReference, gestures: Sequence[Gesture], control: ControlTag, options: AnswerOptions
    ) -> list[Outcome]:
        """What comes of each gesture, in their order, as regions of `control`; an empty mask has none.

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
            work = partial(self._outcomes, drawing, look, gestures, control, options)
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

    def _outcomes(
        self,
        drawing: Drawing,
        look: Look,
        gestures: Sequence[Gesture],
        control: ControlTag,
        options: AnswerOptions,
    ) -> list[Outcome]:
        if drawing.superseded:
            return [Outcome(nothing=_SUPERSEDED)] * len(gestures)
        return [self._outcome(look, gesture, control, options) for gesture in gestures]

    def _outcome(self, look: Look, gesture: Gesture, control: ControlTag, options: AnswerOptions) -> Outcome:
        refined = self._refiner.decode(look, gesture)
        if not refined:
            return Outcome(nothing=_NOTHING_TO_CARVE)
        with stage("result"):
            found = tuple(regions(refined.prediction, refined.region_id, gesture, control, options))
        carves = isinstance(gesture.prompt, Carving)
        return Outcome(found, "" if found else _NOTHING_LEFT if carves else _NOTHING_FOUND)


def _choosing(gesture: Gesture, options: AnswerOptions) -> Gesture:
    if isinstance(gesture.prompt, Carving):
        return gesture
    return replace(gesture, prompt=replace(gesture.prompt, choice=options.choose))
