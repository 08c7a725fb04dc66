import asyncio
import gc
import threading
from collections.abc import Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from structlog.testing import capture_logs

from server.cache.memory import MemoryCache
from server.core.reference import ImageReference
from server.errors import ImageUnavailable, ImageUnreadable
from server.images.decode import decode_image
from server.models.family import Tensors
from server.runtime.providers import CUDA
from server.runtime.session import Session
from server.service.backlog import Backlog
from server.service.demand import Priority
from server.service.embedder import Embedder
from server.service.encode_queue import EncodeQueue
from server.service.identities import Identities
from server.service.image_files import ImageFiles
from server.service.precompute import Precompute
from tests.conftest import png
from tests.held import HeldModel
from tests.waiting import run, until

CLICK, OPENED, LOOK_AHEAD, CRAWL = Priority


class Pages:
    """An image source: a picture's height in px is its URI. The one called "down" cannot be had."""

    def __init__(self) -> None:
        self.under_way = self.most = 0

    def locate(self, reference: ImageReference) -> str:
        return reference.value

    async def fetch(self, uri: str) -> bytes:
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        await asyncio.sleep(0)
        self.under_way -= 1
        if uri == "down":
            raise ImageUnavailable("the site is down")
        return b"broken" if uri == "broken" else png(int(uri), 8, seed=int(uri))


class Desk:
    """Precomputing with everything around it."""

    def __init__(self, model: HeldModel, encoder: Executor, capacity: int = 50, at_once: int = 1) -> None:
        self.model, self.pages = model, Pages()
        self.queue, self.backlog = EncodeQueue(encoder, capacity, at_once), Backlog(1 << 20)
        self.embedder = Embedder(
            model,
            MemoryCache(1 << 24),
            ImageFiles(self.pages, Identities(300, lambda: 0), 1 << 20),
            lambda content: decode_image(content, 10_000),
            self.queue,
        )
        self.stages: list[Mapping[str, float]] = []
        self.precompute = Precompute(self.embedder, self.backlog, self.stages.append, at_once)

    def want(self, height: int | str, priority: Priority, task: str = "1") -> None:
        self.precompute.want(ImageReference(str(height), task), priority)

    async def all_done(self, count: int) -> None:
        """Returns once so many images have been encoded, and nothing waits."""
        await until(lambda: len(self.model.begun) == count and not self.backlog.depth and not self.queue.depth)


@pytest.fixture
def desk(tmp_path: Path, encoder: Executor) -> Desk:
    return Desk(HeldModel(tmp_path), encoder)


def test_what_is_wanted_is_embedded_so_that_a_click_encodes_nothing(desk: Desk) -> None:
    async def scenario() -> None:
        async with desk.precompute.running():
            desk.want(7, OPENED)
            await until(lambda: desk.precompute.done == 1)
            await desk.embedder.embed(ImageReference("7", "1"), CLICK)
            assert desk.model.begun == [7]
            assert await desk.precompute.is_kept(ImageReference("7", "1"))
            assert not await desk.precompute.is_kept(ImageReference("8", "1"))
            await until(lambda: len(desk.stages) == 1)
        (stages,) = desk.stages
        assert set(stages) == {"fetch", "queue", "decode", "encode"}

    run(scenario())


def test_a_click_overtakes_a_crawl_and_an_opened_task_overtakes_it_too(desk: Desk) -> None:
    async def scenario() -> None:
        desk.model.go.clear()
        async with desk.precompute.running():
            for height in range(10, 30):
                desk.want(height, CRAWL)
            await until(lambda: desk.model.begun == [10] and desk.queue.depth == {CRAWL: 1})
            desk.want(8, OPENED)
            await until(lambda: desk.queue.depth == {CRAWL: 1, OPENED: 1})
            click = asyncio.create_task(desk.embedder.embed(ImageReference("7", "2"), CLICK))
            await until(lambda: desk.queue.depth[CLICK] == 1)
            desk.model.go.set()
            await click
            await desk.all_done(22)
        assert desk.model.begun[:4] == [10, 7, 8, 11]

    run(scenario())


def test_on_a_gpu_a_click_is_encoded_next_and_alone_while_a_crawl_goes_on_in_batches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Session, "provider", CUDA)
    model, go, runs, original = HeldModel(tmp_path, images="images"), threading.Event(), list[int](), Session.run

    def held(self: Session, tensors: Tensors) -> dict[str, NDArray[np.generic]]:
        runs.append(len(tensors["image"]))
        assert go.wait(10)
        return original(self, tensors)

    async def scenario(encoder: Executor) -> None:
        desk = Desk(model, encoder, at_once=model.encodes_at_once)
        async with desk.precompute.running():
            for height in range(10, 40):
                desk.want(height, CRAWL)
            await until(lambda: sum(runs) + len(model._encoders._waiting) == 8 and desk.queue.depth == {CRAWL: 2})
            click = asyncio.create_task(desk.embedder.embed(ImageReference("7", "2"), CLICK))
            await until(lambda: sum(runs) + len(model._encoders._waiting) == 9)
            go.set()
            await click
            await desk.all_done(31)
            await until(lambda: desk.precompute.done == 30)

    monkeypatch.setattr(Session, "run", held)
    with ThreadPoolExecutor(model.encodes_at_once) as encoder:
        run(scenario(encoder))
    assert runs[1] == 1
    assert (sum(runs), max(runs)) == (31, 4)


def test_a_click_on_an_image_that_waits_in_the_backlog_does_not_wait_with_it(desk: Desk) -> None:
    async def scenario() -> None:
        async with desk.precompute.running():
            desk.model.go.clear()
            for height in range(10, 30):
                desk.want(height, CRAWL)
            await until(lambda: desk.queue.depth == {CRAWL: 1})
            click = asyncio.create_task(desk.embedder.embed(ImageReference("29", "1"), CLICK))
            await until(lambda: desk.queue.depth[CLICK] == 1)
            desk.model.go.set()
            await click
            await desk.all_done(20)
        assert desk.model.begun[:2] == [10, 29]
        assert sorted(desk.model.begun) == list(range(10, 30))

    run(scenario())


def test_few_images_are_fetched_at_once_however_many_are_wanted(desk: Desk) -> None:
    async def scenario() -> None:
        for height in range(10, 60):
            desk.want(height, CRAWL)
        desk.model.go.clear()
        async with desk.precompute.running():
            await until(lambda: desk.queue.depth == {CRAWL: 1})
            await asyncio.sleep(0.05)
            assert desk.queue.depth == {CRAWL: 1}
            desk.model.go.set()
            await desk.all_done(50)
        assert desk.pages.most <= 3

    run(scenario())


def test_a_crawl_of_any_length_waits_for_places_and_nothing_is_dropped(tmp_path: Path, encoder: Executor) -> None:
    async def scenario() -> None:
        desk = Desk(HeldModel(tmp_path), encoder, capacity=2)
        await asyncio.gather(*(desk.precompute.crawl(ImageReference(str(h), "1")) for h in range(10, 210)))
        assert sorted(desk.model.begun) == list(range(10, 210))
        assert desk.pages.most <= 2
        assert not desk.queue.refused

    run(scenario())


def test_a_crawl_that_clicks_push_out_of_the_queue_comes_back(tmp_path: Path, encoder: Executor) -> None:
    async def scenario() -> None:
        desk = Desk(HeldModel(tmp_path), encoder, capacity=2)
        desk.model.go.clear()
        clicks = [asyncio.create_task(desk.embedder.embed(ImageReference("10", "1"), CLICK))]
        await until(lambda: desk.model.begun == [10])
        crawl = asyncio.create_task(desk.precompute.crawl(ImageReference("11", "1")))
        await until(lambda: desk.queue.depth == {CRAWL: 1})
        clicks += [asyncio.create_task(desk.embedder.embed(ImageReference(h, "1"), CLICK)) for h in ("12", "13")]
        await until(lambda: desk.queue.refused == {CRAWL: 1})
        desk.model.go.set()
        await asyncio.gather(crawl, *clicks)
        assert desk.model.begun == [10, 12, 13, 11]

    run(scenario())


def test_a_crawl_tells_why_an_image_cannot_be_had_and_the_next_one_goes_on(desk: Desk) -> None:
    async def scenario() -> None:
        with pytest.raises(ImageUnavailable, match="the site is down"):
            await desk.precompute.crawl(ImageReference("down", "1"))
        with pytest.raises(ImageUnreadable):
            await desk.precompute.crawl(ImageReference("broken", "1"))
        await desk.precompute.crawl(ImageReference("9", "1"))
        assert desk.model.begun == [9]

    run(scenario())


@pytest.mark.parametrize(("page", "error"), [("down", "ImageUnavailable"), ("broken", "ImageUnreadable")])
def test_an_image_that_fails_is_logged_once_with_its_task_and_the_next_goes_on(
    desk: Desk, page: str, error: str
) -> None:
    complaints: list[dict[str, Any]] = []

    async def scenario() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, complaint: complaints.append(complaint))
        async with desk.precompute.running():
            desk.want(page, OPENED, task="77")
            desk.want(9, CRAWL)
            await until(lambda: desk.precompute.done == 1)
            await until(lambda: any(line["event"] == "not_precomputed" for line in logs))

    with capture_logs() as logs:
        run(scenario())
    gc.collect()
    failures = [line for line in logs if line["log_level"] == "warning"]
    assert [(line["event"], line["task"], line["error"]) for line in failures] == [("not_precomputed", "77", error)]
    assert (desk.precompute.done, desk.precompute.failed) == (1, 1)
    assert complaints == []


def test_a_bug_in_encoding_does_not_end_precomputing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        async with desk.precompute.running():
            with monkeypatch.context() as patch:
                patch.setattr(desk.model, "_family", None)
                desk.want(8, CRAWL)
                await until(lambda: any(line["event"] == "not_precomputed" for line in logs))
            desk.want(9, CRAWL)
            await desk.all_done(2)

    with capture_logs() as logs:
        run(scenario())
    assert [line["log_level"] for line in logs if line["event"] == "not_precomputed"] == ["error"]


def test_forgotten_tasks_are_not_encoded_but_the_click_on_one_is_answered(desk: Desk) -> None:
    async def scenario() -> None:
        desk.model.go.clear()
        async with desk.precompute.running():
            desk.want(10, OPENED, task="1")
            await until(lambda: desk.model.begun == [10])
            for number, height in enumerate((11, 12, 13, 14)):
                desk.want(height, CRAWL, task=f"2{number}")
            await until(lambda: desk.queue.depth == {CRAWL: 2})
            click = asyncio.create_task(desk.embedder.embed(ImageReference("11", "20"), CLICK))
            await until(lambda: desk.queue.depth == {CLICK: 1, CRAWL: 1})
            desk.precompute.forget({"20", "21", "22"})
            await until(lambda: desk.queue.depth == {CLICK: 1, CRAWL: 1} and not desk.backlog.depth)
            desk.model.go.set()
            await click
            await desk.all_done(3)
        assert desk.model.begun == [10, 11, 14]

    run(scenario())


def test_ending_leaves_nothing_behind_although_much_waits(desk: Desk) -> None:
    complaints: list[dict[str, Any]] = []

    async def scenario() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, complaint: complaints.append(complaint))
        before = asyncio.all_tasks()
        desk.model.go.clear()
        async with desk.precompute.running():
            for height in range(10, 30):
                desk.want(height, CRAWL)
            await until(lambda: desk.queue.depth == {CRAWL: 1})
        await desk.embedder.close()
        desk.model.go.set()
        assert asyncio.all_tasks() == before

    run(scenario())
    gc.collect()
    assert complaints == []
    assert desk.model.begun == [10]
