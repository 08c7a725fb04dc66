"""Small jobs beside the answers, such as asking Label Studio something: one after another, long ones in parts."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import structlog

_CAPACITY = 256

log = structlog.get_logger("samserve.chores")


class Chores:
    """Jobs that are done while it is `running`; what does not fit, or fails, is logged. For one event loop."""

    def __init__(self) -> None:
        self._waiting: asyncio.Queue[tuple[str, Callable[[], Awaitable[None]]]] = asyncio.Queue()

    def add(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        """Has `work` done when it is its turn; returns at once."""
        if self._waiting.qsize() >= _CAPACITY:
            log.warning("chore_dropped", chore=name, waiting=_CAPACITY)
            return
        self._waiting.put_nowait((name, work))

    def add_rest(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        """Has the rest of the job under way done after those that wait now; it had its place, so it always fits."""
        self._waiting.put_nowait((name, work))

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """The jobs are done while this lasts."""
        worker = asyncio.create_task(self._work())
        try:
            yield
        finally:
            worker.cancel()
            with suppress(asyncio.CancelledError):
                await worker

    async def _work(self) -> None:
        while True:
            name, work = await self._waiting.get()
            try:
                await work()
            except Exception:  # a bug of ours, which must not keep the next job from being done
                log.exception("chore_failed", chore=name)
