import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import Any, TypeVar

import numpy as np
import pytest

from server.cache.memory import MemoryCache
from server.core.context import Gesture
from server.core.embedding import Image, ImageEmbedding
from server.core.geometry import ImageSize, Point
from server.core.labelconfig import ControlTag
from server.core.options import AnswerOptions
from server.core.outcome import Outcome
from server.core.prediction import MaskPrediction
from server.core.prompt import Prompt
from server.core.reference import ImageReference
from server.core.region import Region
from server.errors import ImageUnavailable, Overloaded
from server.service.embedder import Embedder
from server.service.encode_queue import EncodeQueue
from server.service.identities import Identities
from server.service.image_files import ImageFiles
from server.service.magnifier import Magnifier
from server.service.refiner import Refiner
from server.service.segmenter import Segmenter
from tests.unit.conftest import Threads
from tests.unit.stand_ins import FakeImages, FakeModel
from tests.waiting import run, until

T = TypeVar("T")
FRAME = ImageSize(2, 10)
BRUSH = ControlTag("BrushLabels", "brush", ("image",), ("Dog",))


class PointModel(FakeModel):
    """A mask is the clicked pixel, scored by its x; a click at x = 9 finds nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.decoded: list[float] = []

    def decode(self, embedding: ImageEmbedding, prompt: Prompt) -> MaskPrediction:
        x = int(prompt.points[0].x)
        self.decoded.append(x)
        mask = np.zeros((prompt.frame.height, prompt.frame.width), np.bool_)
        mask[0, x] = x != 9
        return MaskPrediction(mask, x / 10, np.zeros((256, 256), np.float32))


def decode_image(content: bytes) -> Image:
    return np.full((1, 1, 3), content[0], np.uint8)


def click(x: float, ids: str = "") -> Gesture:
    return Gesture(Prompt(FRAME, (Point(x, 0),)), "image", "click", ("Dog",), item_ids=frozenset(ids))


class Desk:
    """A segmenter and everything around it."""

    def __init__(self, threads: Threads, capacity: int = 8) -> None:
        encoder, decoder = threads
        self.model = PointModel()
        self.images = FakeImages(down=ImageUnavailable("the site is down"))
        files = ImageFiles(self.images, Identities(300.0, lambda: 0.0), 1 << 20)
        embedder = Embedder(self.model, MemoryCache(1 << 20), files, decode_image, EncodeQueue(encoder, 8))
        refiner = Refiner(self.model, lambda: 0.0)
        magnifier = Magnifier(embedder, refiner, self.model, decoder)
        self.segmenter = Segmenter(embedder, magnifier, refiner, decoder, capacity)

    async def segment(self, *xs: float, image: str = "a") -> list[Region]:
        return [region for outcome in await self.outcomes(*xs, image=image) for region in outcome.regions]

    async def outcomes(self, *xs: float, image: str = "a") -> list[Outcome]:
        return await self.segmenter.segment(ImageReference(image, "1"), [click(x) for x in xs], BRUSH, AnswerOptions())

    async def drawn(self, x: float, ids: str, image: str = "a", task: str = "1") -> int:
        """How many regions answer the items with these ids, each a letter."""
        reference = ImageReference(image, task)
        (outcome,) = await self.segmenter.segment(reference, [click(x, ids)], BRUSH, AnswerOptions())
        return len(outcome.regions)

    async def scores(self, *xs: float, image: str = "a") -> list[float]:
        return [region.score for region in await self.segment(*xs, image=image)]


def test_each_gesture_is_answered_with_a_region_in_order(threads: Threads) -> None:
    async def scenario() -> None:
        regions = await Desk(threads).segment(7, 2, 5)
        assert [region.score for region in regions] == [0.7, 0.2, 0.5]
        assert {(region.from_name, region.to_name, region.type) for region in regions} == {
            ("brush", "image", "brushlabels")
        }
        assert len({region.id for region in regions}) == 3

    run(scenario())


def test_gestures_that_find_nothing_are_left_out(threads: Threads) -> None:
    async def scenario() -> None:
        desk = Desk(threads)
        assert await desk.scores(7, 9, 5) == [0.7, 0.5]
        assert [outcome.nothing for outcome in await desk.outcomes(7, 9)] == [
            "",
            "the model found no pixel of an object there",
        ]

    run(scenario())


def test_a_click_on_a_known_image_does_not_wait_for_the_encoding_of_another(
    threads: Threads,
) -> None:
    async def scenario() -> None:
        desk = Desk(threads)
        await desk.segment(1, image="known")
        desk.model.started.clear()
        desk.model.go.clear()
        try:
            slow = asyncio.create_task(desk.scores(2, image="new"))
            assert await asyncio.to_thread(desk.model.started.wait, 10)
            assert await desk.scores(3, image="known") == [0.3]
            assert not slow.done()
        finally:
            desk.model.go.set()
        assert await slow == [0.2]

    run(scenario())


def test_one_click_more_than_the_capacity_is_turned_away_until_another_is_done(
    threads: Threads,
) -> None:
    async def scenario() -> None:
        desk = Desk(threads, capacity=2)
        desk.images.go.clear()
        waiting = [asyncio.create_task(desk.scores(x)) for x in (1, 2)]
        await desk.images.started.wait()
        with pytest.raises(Overloaded, match="2 clicks are waiting") as caught:
            await desk.scores(3)
        assert caught.value.retry_after == 1
        desk.images.go.set()
        assert await asyncio.gather(*waiting) == [[0.1], [0.2]]
        assert await desk.scores(3) == [0.3]

    run(scenario())


def test_a_click_that_fails_makes_room_for_the_next(threads: Threads) -> None:
    async def scenario() -> None:
        desk = Desk(threads, capacity=1)
        for _ in range(2):
            with pytest.raises(ImageUnavailable, match="the site is down"):
                await desk.scores(1, image="down")
        assert await desk.scores(1) == [0.1]

    run(scenario())


def test_a_click_that_is_given_up_makes_room_for_the_next(threads: Threads) -> None:
    async def scenario() -> None:
        desk = Desk(threads, capacity=1)
        desk.images.go.clear()
        given_up = asyncio.create_task(desk.scores(1))
        await desk.images.started.wait()
        given_up.cancel()
        with pytest.raises(asyncio.CancelledError):
            await given_up
        desk.images.go.set()
        assert await desk.scores(2) == [0.2]

    run(scenario())


def test_of_clicks_that_add_up_only_the_last_is_decoded(threads: Threads) -> None:
    async def scenario() -> None:
        desk = Desk(threads)
        desk.images.go.clear()
        asked = [asyncio.create_task(desk.drawn(x, ids)) for x, ids in [(1, "a"), (2, "ab"), (3, "abc")]]
        await desk.images.started.wait()
        desk.images.go.set()
        assert await asyncio.gather(*asked) == [0, 0, 1]
        assert desk.model.decoded == [3]

    run(scenario())


def test_a_click_is_answered_that_no_newer_one_holds_all_of(threads: Threads) -> None:
    async def scenario() -> None:
        desk = Desk(threads)
        desk.images.go.clear()
        asked = [
            asyncio.create_task(work)
            for work in (
                desk.drawn(1, "abc"),
                desk.drawn(2, "ab"),  # fewer
                desk.drawn(3, "ab"),  # the same, perhaps moved
                desk.drawn(4, "xy"),  # another annotator's
                desk.drawn(5, ""),  # without ids
                desk.drawn(6, "a", image="b"),
                desk.drawn(7, "a", task="2"),
                desk.drawn(8, "abd"),
            )
        ]
        await desk.images.started.wait()
        desk.images.go.set()
        assert await asyncio.gather(*asked) == [1, 0, 0, 1, 1, 1, 1, 1]
        assert sorted(desk.model.decoded) == [1, 4, 5, 6, 7, 8]

    run(scenario())


class CountingThread(ThreadPoolExecutor):
    """One thread, which counts what it was given to do."""

    def __init__(self) -> None:
        super().__init__(1)
        self.given = 0

    def submit(self, work: Callable[..., T], /, *args: Any, **more: Any) -> Future[T]:
        self.given += 1
        return super().submit(work, *args, **more)


def test_a_click_that_waits_for_the_decoder_is_dropped_for_a_newer_one(encoder: Executor) -> None:
    async def scenario() -> None:
        with CountingThread() as decoder:
            desk, go = Desk((encoder, decoder)), threading.Event()
            decoder.submit(go.wait, 10)
            older = asyncio.create_task(desk.drawn(1, "a"))
            await until(lambda: decoder.given == 2)
            newer = asyncio.create_task(desk.drawn(2, "ab"))
            await until(lambda: decoder.given == 3)
            go.set()
            assert (await older, await newer) == (0, 1)
        assert desk.model.decoded == [2]

    run(scenario())
