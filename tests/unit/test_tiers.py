import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path

import pytest

from server.cache.disk import DiskCache
from server.cache.memory import MemoryCache
from server.cache.tiers import Tiered
from tests.unit.embeddings import embedding, key, number_of
from tests.waiting import run


class Desk:
    """A memory for two embeddings of 1000 bytes, a disk behind it, and the threads to it."""

    def __init__(self, folder: Path) -> None:
        self.memory, self.disk = MemoryCache(2000), DiskCache(folder, 1 << 30)
        self.reader, self.writer = ThreadPoolExecutor(1), ThreadPoolExecutor(1)
        self.tiers = Tiered(self.memory, self.disk, self.reader, self.writer)

    async def put(self, *numbers: int) -> None:
        """Puts embeddings, and waits until they are on disk."""
        for number in numbers:
            self.tiers.put(key(str(number)), embedding(number))
        await done(self.writer)

    async def find(self, number: int) -> int | None:
        return number_of(await self.tiers.find(key(str(number))))


async def done(executor: Executor) -> None:
    """All work that the executor was given so far, and its callbacks, are done."""
    await asyncio.get_running_loop().run_in_executor(executor, lambda: None)
    await asyncio.sleep(0)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    yield desk
    desk.reader.shutdown()
    desk.writer.shutdown()


@pytest.fixture
def stuck() -> Iterator[Callable[[Executor], None]]:
    """Keeps a thread busy until the test is over."""
    go = threading.Event()

    def occupy(executor: Executor) -> None:
        executor.submit(go.wait)

    yield occupy
    go.set()


def test_what_memory_dropped_is_read_from_disk_and_is_in_memory_again(desk: Desk) -> None:
    async def scenario() -> None:
        await desk.put(1, 2, 3)
        assert desk.memory.get(key("1")) is None
        assert await desk.find(1) == 1
        assert number_of(desk.memory.get(key("1"))) == 1

    run(scenario())


def test_what_a_server_put_is_found_by_the_next(tmp_path: Path, desk: Desk) -> None:
    run(desk.put(1, 2))
    after = Desk(tmp_path)
    assert [run(after.find(number)) for number in (1, 2, 3)] == [1, 2, None]
    after.reader.shutdown()


def test_what_is_in_memory_is_found_without_the_disk(desk: Desk, stuck: Callable[[Executor], None]) -> None:
    async def scenario() -> None:
        stuck(desk.reader)
        stuck(desk.writer)
        desk.tiers.put(key("1"), embedding(1))
        assert await desk.find(1) == 1

    run(scenario())


def test_what_waits_to_be_written_is_found_even_when_memory_has_dropped_it(
    desk: Desk, stuck: Callable[[Executor], None]
) -> None:
    async def scenario() -> None:
        stuck(desk.writer)
        for number in range(5):
            desk.tiers.put(key(str(number)), embedding(number))
        assert [await desk.find(number) for number in range(5)] == [0, 1, 2, 3, 4]

    run(scenario())


def test_a_read_does_not_wait_for_writes(desk: Desk, stuck: Callable[[Executor], None]) -> None:
    async def scenario() -> None:
        await desk.put(1, 2, 3)
        stuck(desk.writer)
        desk.tiers.put(key("4"), embedding(4))
        assert await desk.find(1) == 1

    run(scenario())


def test_a_disk_that_cannot_keep_up_loses_writes_and_memory_does_not_grow(
    desk: Desk, stuck: Callable[[Executor], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.cache.tiers._WAITING_WRITES", 3)

    async def scenario() -> None:
        stuck(desk.writer)
        for number in range(5):
            desk.tiers.put(key(str(number)), embedding(number))
        assert desk.tiers.dropped_writes == 2
        assert [await desk.find(number) for number in (3, 4, 0, 2)] == [3, 4, 0, 2]  # 3 and 4 are in memory only

    run(scenario())


def test_writes_go_on_once_the_disk_has_caught_up(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.cache.tiers._WAITING_WRITES", 1)

    async def scenario() -> None:
        for number in range(5):
            await desk.put(number)
        assert desk.tiers.dropped_writes == 0
        assert [await desk.find(number) for number in range(5)] == [0, 1, 2, 3, 4]

    run(scenario())


def test_many_who_read_one_embedding_get_the_same_one(desk: Desk) -> None:
    async def scenario() -> None:
        await desk.put(1, 2, 3)
        found = await asyncio.gather(*(desk.tiers.find(key("1")) for _ in range(5)))
        assert len({id(each) for each in found}) == 1

    run(scenario())


def test_what_was_put_while_the_disk_was_searched_is_found(desk: Desk) -> None:
    async def scenario() -> None:
        go = threading.Event()
        desk.reader.submit(go.wait)
        finding = asyncio.create_task(desk.tiers.find(key("1")))
        await asyncio.sleep(0)
        made = embedding(1)
        desk.tiers.put(key("1"), made)
        go.set()
        assert await finding is made

    run(scenario())


def test_look_ups_are_counted_per_tier(desk: Desk) -> None:
    async def scenario() -> None:
        await desk.put(1, 2, 3)
        for number in (3, 3, 1, 1, 9):
            await desk.find(number)
        assert (desk.memory.hits, desk.memory.misses) == (3, 2)
        assert (desk.tiers.disk_hits, desk.tiers.disk_misses) == (1, 1)

    run(scenario())


def test_what_any_tier_has_is_told_without_reading_it(desk: Desk, stuck: Callable[[Executor], None]) -> None:
    async def scenario() -> None:
        await desk.put(1, 2, 3)
        stuck(desk.writer)
        for number in (4, 5, 6):  # the first of them is neither in memory nor on disk
            desk.tiers.put(key(str(number)), embedding(number))
        assert [await desk.tiers.has(key(str(number))) for number in (1, 4, 6, 9)] == [True, True, True, False]
        assert desk.memory.get(key("1")) is None
        assert [(tier.hits, tier.misses) for tier in desk.tiers.tiers()] == [(0, 0), (0, 0)]

    run(scenario())


def test_what_is_put_away_is_on_disk_and_takes_no_memory_until_it_is_looked_up(desk: Desk) -> None:
    async def scenario() -> None:
        await desk.put(1, 2)
        for number in range(3, 9):
            desk.tiers.put_away(key(str(number)), embedding(number))
        await done(desk.writer)
        assert [number_of(desk.memory.get(key(str(number)))) for number in (1, 2, 3, 8)] == [1, 2, None, None]
        assert await desk.find(3) == 3
        assert number_of(desk.memory.get(key("3"))) == 3

    run(scenario())


def test_what_is_put_away_is_found_and_in_memory_again_while_it_waits_to_be_written(
    desk: Desk, stuck: Callable[[Executor], None]
) -> None:
    async def scenario() -> None:
        stuck(desk.writer)
        desk.tiers.put_away(key("1"), embedding(1))
        assert desk.memory.get(key("1")) is None
        assert await desk.find(1) == 1
        assert number_of(desk.memory.get(key("1"))) == 1

    run(scenario())


def test_what_was_put_away_while_the_disk_was_searched_is_found(desk: Desk, stuck: Callable[[Executor], None]) -> None:
    async def scenario() -> None:
        go = threading.Event()
        desk.reader.submit(go.wait)
        stuck(desk.writer)
        finding = asyncio.create_task(desk.tiers.find(key("1")))
        await asyncio.sleep(0)
        desk.tiers.put_away(key("1"), embedding(1))
        go.set()
        assert number_of(await finding) == 1

    run(scenario())


def test_what_is_put_away_is_in_memory_where_the_disk_is_too_slow_for_it(
    desk: Desk, stuck: Callable[[Executor], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.cache.tiers._WAITING_WRITES", 0)

    async def scenario() -> None:
        desk.tiers.put_away(key("1"), embedding(1))
        assert number_of(desk.memory.get(key("1"))) == 1

    run(scenario())


def test_what_is_put_away_is_in_memory_where_the_disk_refuses_it(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    desk = Desk(tmp_path / "file")  # which is no folder

    async def scenario() -> None:
        desk.tiers.put_away(key("1"), embedding(1))
        await done(desk.writer)
        assert number_of(desk.memory.get(key("1"))) == 1

    run(scenario())
    desk.writer.shutdown()


def test_after_written_everything_is_on_disk(desk: Desk) -> None:
    async def scenario() -> None:
        for number in range(9):
            desk.tiers.put(key(str(number)), embedding(number))
        await desk.tiers.written()
        assert [number_of(desk.disk.get(key(str(number)))) for number in range(9)] == list(range(9))

    run(scenario())
