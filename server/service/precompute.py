"""Embedding images before anyone clicks on them, in the background of a running server."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import asynccontextmanager

import structlog

from server.core.reference import ImageReference
from server.errors import Overloaded, SamserveError
from server.service.backlog import Backlog
from server.service.demand import Priority
from server.service.embedder import Embedder
from server.stages import collect_stages

log = structlog.get_logger("samserve.precompute")


class Precompute:
    """Works off a backlog while it is `running`; what fails is logged, and left to the click on that image.

    `observe` is told the seconds by stage that each image took; `encodes_at_once` is the queue's.

    Attributes:
        at_once: how many images are crawled together: those that are encoded, and one that is fetched meanwhile.
        done, failed: how many images of the backlog are kept now, and how many cannot be.
    """

    def __init__(
        self,
        embedder: Embedder,
        backlog: Backlog,
        observe: Callable[[Mapping[str, float]], None],
        encodes_at_once: int = 1,
    ) -> None:
        self._embedder, self._backlog, self._observe = embedder, backlog, observe
        self._under_way: dict[asyncio.Task[None], str] = {}
        self.done = self.failed = 0
        self.at_once = encodes_at_once + 1
        self._places = asyncio.Semaphore(self.at_once)

    def want(self, reference: ImageReference, priority: Priority) -> None:
        """Has an image embedded when it is its turn; returns at once."""
        self._backlog.add(reference, priority)

    async def crawl(self, reference: ImageReference) -> bool:
        """Has an image kept as the least urgent one, and tells whether that took an encode; waits for a place first.

        Raises:
            ImageError: the image cannot be had, or is none.
        """
        async with self._places:
            while True:
                try:
                    return await self._embedder.keep(reference, Priority.CRAWL)
                except Overloaded as error:
                    await asyncio.sleep(error.retry_after)

    async def is_kept(self, reference: ImageReference) -> bool:
        """Whether an image needs no more encoding; False where it cannot be had at all."""
        try:
            return await self._embedder.is_kept(reference)
        except SamserveError:
            return False

    def forget(self, tasks: Collection[str]) -> None:
        """Gives up the images of these tasks, but for those that are being encoded or clicked on."""
        self._backlog.forget(tasks)
        for work, task in self._under_way.items():
            if task in tasks:
                work.cancel()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """The backlog is worked off while this lasts."""
        leasts = (Priority.OPENED, *[Priority.CRAWL] * self.at_once)  # the first waits for no crawl
        workers = [asyncio.create_task(self._work(least)) for least in leasts]
        try:
            yield
        finally:
            tasks = [*workers, *self._under_way]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _work(self, least: Priority) -> None:
        while True:
            reference, priority = await self._backlog.take(least)
            work = asyncio.create_task(self._embed(reference, priority))
            self._under_way[work] = reference.task
            await asyncio.wait([work])  # it may be cancelled alone
            del self._under_way[work]

    async def _embed(self, reference: ImageReference, priority: Priority) -> None:
        try:
            with collect_stages() as stages:
                if priority == Priority.OPENED:
                    await self._embedder.make_ready(reference, priority)
                elif priority == Priority.CRAWL:  # others are wanted soon, and read into memory too
                    await self._embedder.keep(reference, priority)
                else:
                    await self._embedder.embed(reference, priority)
            self.done += 1
            self._observe(stages)
        except SamserveError as error:
            self.failed += 1
            log.warning("not_precomputed", task=reference.task, error=type(error).__name__, reason=str(error))
        except Exception:  # a bug of ours, which must not end precomputing
            self.failed += 1
            log.exception("not_precomputed", task=reference.task)
