"""The queue in front of the encoder threads: whoever is wanted most urgently goes next."""

import asyncio
import itertools
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial

from server.core.embedding import ImageEmbedding
from server.errors import Overloaded
from server.service.demand import Abandoned, Demand, Priority


@dataclass(frozen=True, slots=True, eq=False)
class _Entry:
    work: Callable[[], ImageEmbedding]
    demand: Demand
    number: int
    done: asyncio.Future[ImageEmbedding]


class EncodeQueue:
    """Runs work on `encoder`, `at_once` pieces at a time, the last of several only if it is urgent.

    So a click's begins at once; with one place, or more clicks than places, as soon as a piece ends. Of more than
    `capacity` that wait the least urgent, among those the newest, is refused. For one event loop.

    Attributes:
        refused: how many pieces were, by priority.
    """

    def __init__(self, encoder: Executor, capacity: int, at_once: int = 1) -> None:
        self._encoder, self._capacity, self._at_once = encoder, capacity, at_once
        self._waiting: list[_Entry] = []
        self._numbers = itertools.count()
        self._running = 0
        self.refused: Counter[Priority] = Counter()

    @property
    def depth(self) -> Counter[Priority]:
        """How many pieces wait, by priority."""
        return Counter(entry.demand.priority for entry in self._waiting if entry.demand.priority is not None)

    async def run(self, work: Callable[[], ImageEmbedding], demand: Demand) -> ImageEmbedding:
        """The result of `work`, once it was its turn.

        Raises:
            Overloaded: too much waits that is no less urgent.
            Abandoned: nobody wanted it any more when its turn came.
        """
        entry = _Entry(work, demand, next(self._numbers), asyncio.get_running_loop().create_future())
        self._waiting.append(entry)
        self._start_next()
        if len(self._waiting) > self._capacity:
            self._refuse(max(self._waiting, key=_turn))
        try:
            with demand.watched(self._start_next):
                return await entry.done
        finally:
            if entry in self._waiting:
                self._waiting.remove(entry)

    def _start_next(self) -> None:
        free = self._at_once - self._running
        if not free:
            return
        for entry in [entry for entry in self._waiting if entry.demand.priority is None]:
            self._fail(entry, Abandoned())
        if not self._waiting:
            return
        entry = min(self._waiting, key=_turn)
        if free == 1 and self._at_once > 1 and not entry.demand.is_urgent():
            return
        self._waiting.remove(entry)
        self._running += 1
        running = asyncio.get_running_loop().run_in_executor(self._encoder, entry.work)
        running.add_done_callback(partial(self._finish, entry))

    def _finish(self, entry: _Entry, running: asyncio.Future[ImageEmbedding]) -> None:
        self._running -= 1
        error = None if running.cancelled() else running.exception()
        if entry.done.done():  # its caller was cancelled
            pass
        elif running.cancelled():  # the encoder shuts down
            entry.done.cancel()
        elif error:
            entry.done.set_exception(error)
        else:
            entry.done.set_result(running.result())
        self._start_next()

    def _refuse(self, entry: _Entry) -> None:
        if entry.demand.priority is not None:
            self.refused[entry.demand.priority] += 1
        self._fail(entry, Overloaded(f"{self._capacity} images wait to be encoded already; try again in a moment"))

    def _fail(self, entry: _Entry, error: Exception) -> None:
        self._waiting.remove(entry)
        if not entry.done.done():
            entry.done.set_exception(error)


def _turn(entry: _Entry) -> tuple[int, int]:
    priority = entry.demand.priority
    return len(Priority) if priority is None else priority, entry.number
