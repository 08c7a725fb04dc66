"""Single flight: work that several callers wait for is done once, as urgently as the most urgent of them wants it."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Generic, TypeVar

from server.service.demand import Abandoned, Demand
from server.stages import stage

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Flight(Generic[T]):
    task: asyncio.Task[T]
    demand: Demand


class Flights(Generic[T]):
    """Work under way, by key. A caller that gives up leaves the work going for the others."""

    def __init__(self) -> None:
        self._flights: dict[Hashable, _Flight[T]] = {}

    async def join(self, key: Hashable, work: Callable[[Demand], Awaitable[T]], demand: Demand) -> T:
        """The result of the flight called `key`, which `work` starts if there is none.

        `work` is given the demand of all who wait for it, and may raise Abandoned when that is gone.
        """
        while True:
            flight = self._flights.get(key)
            if flight is None or flight.task.done():
                flight = self._start(key, work)
                timed: AbstractContextManager[None] = nullcontext()  # its stages are this caller's
            else:
                timed = stage("wait")
            with flight.demand.joined_by(demand), timed:
                try:
                    return await asyncio.shield(flight.task)
                except Abandoned:  # just before this caller came, perhaps
                    if demand.priority is None:
                        raise

    async def close(self) -> None:
        """Cancels all flights, and returns once they have ended."""
        tasks = [flight.task for flight in self._flights.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _start(self, key: Hashable, work: Callable[[Demand], Awaitable[T]]) -> _Flight[T]:
        demand = Demand()
        flight = _Flight(asyncio.create_task(_run(work, demand)), demand)
        self._flights[key] = flight
        flight.task.add_done_callback(lambda _: self._land(key, flight))
        return flight

    def _land(self, key: Hashable, flight: _Flight[T]) -> None:
        if self._flights.get(key) is flight:
            del self._flights[key]
        if not flight.task.cancelled():
            flight.task.exception()  # marks it as seen: everyone who waited may have gone


async def _run(work: Callable[[Demand], Awaitable[T]], demand: Demand) -> T:
    return await work(demand)
