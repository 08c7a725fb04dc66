import asyncio
import gc
import threading
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest

from server.core.embedding import ImageEmbedding
from server.core.geometry import ImageSize
from server.errors import ImageUnreadable, Overloaded
from server.service.demand import Abandoned, Demand, Priority
from server.service.encode_queue import EncodeQueue
from tests.waiting import run, until

CLICK, OPENED, LOOK_AHEAD, CRAWL = Priority


class Desk:
    """A queue whose encoder is busy until `go` is set; what ran after that, in order."""

    def __init__(self, encoder: Executor, capacity: int = 8) -> None:
        self.queue = EncodeQueue(encoder, capacity)
        self.go, self.ran = threading.Event(), list[str]()
        self.busy = asyncio.ensure_future(self.queue.run(self._block, Demand(CRAWL)))

    async def begin(self) -> None:
        """Returns once the encoder is busy."""
        await asyncio.sleep(0)
        assert not self.queue.depth

    def ask(self, name: str, demand: Demand | Priority) -> asyncio.Task[ImageEmbedding]:
        """Queues an encode called `name`; "bad" ones fail."""
        demand = demand if isinstance(demand, Demand) else Demand(demand)
        return asyncio.ensure_future(self.queue.run(lambda: self._encode(name), demand))

    async def finish(self, *asked: asyncio.Task[ImageEmbedding]) -> list[str]:
        """Frees the encoder; gives what ran, in order."""
        await asyncio.sleep(0)
        self.go.set()
        await asyncio.gather(self.busy, *asked, return_exceptions=True)
        return self.ran

    def _block(self) -> ImageEmbedding:
        assert self.go.wait(10)
        return embedding()

    def _encode(self, name: str) -> ImageEmbedding:
        self.ran.append(name)
        if name == "bad":
            raise ImageUnreadable("not a whole image")
        return embedding()


def embedding() -> ImageEmbedding:
    return ImageEmbedding(ImageSize(1, 1), {})


def test_clicks_overtake_precompute(encoder: Executor) -> None:
    async def scenario() -> None:
        desk = Desk(encoder)
        await desk.begin()
        asked = [desk.ask(p.name, p) for p in (CRAWL, LOOK_AHEAD, OPENED, CLICK)]
        await asyncio.sleep(0)
        assert desk.queue.depth == {CRAWL: 1, LOOK_AHEAD: 1, OPENED: 1, CLICK: 1}
        assert await desk.finish(*asked) == ["CLICK", "OPENED", "LOOK_AHEAD", "CRAWL"]
        assert not desk.queue.depth

    run(scenario())


def test_equally_urgent_images_keep_their_order(encoder: Executor) -> None:
    async def scenario() -> None:
        desk = Desk(encoder)
        await desk.begin()
        assert await desk.finish(*(desk.ask(name, CRAWL) for name in "abcde")) == list("abcde")

    run(scenario())


def test_a_click_lifts_an_image_that_is_queued(encoder: Executor) -> None:
    async def scenario() -> None:
        desk = Desk(encoder)
        await desk.begin()
        crawled = Demand(CRAWL)
        asked = [desk.ask("first", OPENED), desk.ask("lifted", crawled)]
        await asyncio.sleep(0)
        with crawled.joined_by(Demand(CLICK)):
            assert desk.queue.depth == {OPENED: 1, CLICK: 1}
            assert await desk.finish(*asked) == ["lifted", "first"]

    run(scenario())


def test_an_image_falls_back_once_the_click_on_it_is_given_up(encoder: Executor) -> None:
    async def scenario() -> None:
        desk = Desk(encoder)
        await desk.begin()
        crawled = Demand(CRAWL)
        asked = [desk.ask("crawled", crawled), desk.ask("opened", OPENED)]
        with crawled.joined_by(Demand(CLICK)):
            await asyncio.sleep(0)
        assert await desk.finish(*asked) == ["opened", "crawled"]

    run(scenario())


def test_what_nobody_waits_for_any_more_is_not_encoded(encoder: Executor) -> None:
    async def scenario() -> None:
        desk = Desk(encoder)
        await desk.begin()
        clicks = Demand()
        with clicks.joined_by(Demand(CLICK)):
            abandoned = desk.ask("abandoned", clicks)
            await asyncio.sleep(0)
        assert await desk.finish(abandoned, desk.ask("wanted", CRAWL)) == ["wanted"]
        assert isinstance(abandoned.exception(), Abandoned)

    run(scenario())


def test_beyond_the_bound_the_least_urgent_is_refused_and_counted(encoder: Executor) -> None:
    async def scenario() -> None:
        desk = Desk(encoder, capacity=3)
        await desk.begin()
        asked = [desk.ask(name, p) for name, p in [("c1", CRAWL), ("o", OPENED), ("c2", CRAWL), ("click", CLICK)]]
        assert await desk.finish(*asked) == ["click", "o", "c1"]
        assert isinstance(asked[2].exception(), Overloaded)
        assert desk.queue.refused == {CRAWL: 1}

    run(scenario())


def test_a_click_is_refused_only_when_nothing_but_clicks_wait(encoder: Executor) -> None:
    async def scenario() -> None:
        desk = Desk(encoder, capacity=2)
        await desk.begin()
        asked = [desk.ask(name, CLICK) for name in "abc"]
        with pytest.raises(Overloaded, match="2 images wait") as caught:
            await asked[2]
        assert caught.value.retry_after > 0
        assert await desk.finish(*asked) == ["a", "b"]
        assert desk.queue.refused == {CLICK: 1}

    run(scenario())


def test_an_encode_that_fails_fails_alone(encoder: Executor) -> None:
    async def scenario() -> None:
        desk = Desk(encoder)
        await desk.begin()
        bad, good = desk.ask("bad", CLICK), desk.ask("good", CLICK)
        assert await desk.finish(bad, good) == ["bad", "good"]
        with pytest.raises(ImageUnreadable):
            await bad
        assert (await good).size == ImageSize(1, 1)

    run(scenario())


@pytest.mark.parametrize("name", ["good", "bad"])
def test_a_caller_that_is_cancelled_while_its_encode_runs_leaves_no_complaint(encoder: Executor, name: str) -> None:
    complaints: list[dict[str, Any]] = []

    async def scenario() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, complaint: complaints.append(complaint))
        desk = Desk(encoder)
        asked, last = desk.ask(name, CLICK), desk.ask("last", CRAWL)
        await asyncio.sleep(0)
        desk.go.set()
        await desk.busy
        asked.cancel()
        with suppress(asyncio.CancelledError, ImageUnreadable):
            await asked
        await last

    run(scenario())
    gc.collect()
    assert complaints == []


def test_a_caller_that_is_cancelled_leaves_the_queue(encoder: Executor) -> None:
    async def scenario() -> None:
        desk = Desk(encoder)
        await desk.begin()
        gone, stays = desk.ask("gone", CLICK), desk.ask("stays", CRAWL)
        await asyncio.sleep(0)
        gone.cancel()
        assert await desk.finish(gone, stays) == ["stays"]

    run(scenario())


class Room:
    """A queue with room for several pieces at once, each of which runs until it is let go; what began, in order."""

    def __init__(self, encoder: Executor, at_once: int) -> None:
        self.queue, self.began, self._gates = (
            EncodeQueue(encoder, 8, at_once),
            list[str](),
            dict[str, threading.Event](),
        )

    async def ask(self, name: str, demand: Demand | Priority) -> asyncio.Task[ImageEmbedding]:
        """Returns once the piece runs or waits."""
        demand = demand if isinstance(demand, Demand) else Demand(demand)
        self._gates[name] = threading.Event()
        asked = asyncio.ensure_future(self.queue.run(lambda: self._encode(name), demand))
        await asyncio.sleep(0)
        return asked

    def let_go(self, *names: str) -> None:
        for name in names:
            self._gates[name].set()

    async def finish(self, *asked: asyncio.Task[ImageEmbedding]) -> None:
        self.let_go(*self._gates)
        await asyncio.gather(*asked)

    def _encode(self, name: str) -> ImageEmbedding:
        self.began.append(name)
        assert self._gates[name].wait(10)
        return embedding()


def test_a_click_begins_at_once_however_many_background_images_there_are() -> None:
    async def scenario(encoder: Executor) -> None:
        room = Room(encoder, at_once=3)
        background = [await room.ask(name, p) for name, p in (("a", CRAWL), ("b", LOOK_AHEAD), ("c", CRAWL))]
        assert room.queue.depth == {CRAWL: 1}
        click = await room.ask("click", CLICK)
        await until(lambda: sorted(room.began) == ["a", "b", "click"])
        assert room.queue.depth == {CRAWL: 1}
        room.let_go("click")
        await click
        assert room.queue.depth == {CRAWL: 1}
        room.let_go("a")
        await until(lambda: room.began[3:] == ["c"])
        await room.finish(*background)

    with ThreadPoolExecutor(3) as encoder:
        run(scenario(encoder))


def test_clicks_take_all_places_and_one_more_waits_for_the_first_piece_that_ends() -> None:
    async def scenario(encoder: Executor) -> None:
        room = Room(encoder, at_once=2)
        asked = [await room.ask(name, p) for name, p in (("crawl", CRAWL), ("a", CLICK), ("b", OPENED))]
        assert room.queue.depth == {OPENED: 1}
        room.let_go("crawl")
        await until(lambda: room.began[2:] == ["b"])
        await room.finish(*asked)

    with ThreadPoolExecutor(2) as encoder:
        run(scenario(encoder))


def test_a_background_image_that_waits_begins_once_it_is_clicked_on() -> None:
    async def scenario(encoder: Executor) -> None:
        room, opened, crawled = Room(encoder, at_once=2), Demand(), Demand(CRAWL)
        first, second = await room.ask("a", CRAWL), await room.ask("b", crawled)
        with crawled.joined_by(opened):  # as a click joins what another one has begun to wait for
            assert room.queue.depth == {CRAWL: 1}
            with opened.joined_by(Demand(CLICK)):
                await until(lambda: room.began == ["a", "b"])
        await room.finish(first, second)

    with ThreadPoolExecutor(2) as encoder:
        run(scenario(encoder))
