import asyncio
import gc
from typing import Any

import pytest

from server.service.demand import Abandoned, Demand, Priority
from server.service.flights import Flights
from server.stages import collect_stages, stage
from tests.waiting import run

CLICK = Demand(Priority.CLICK)


class Work:
    """Counts its starts; each goes on once `go` is set, then fails with `error` or gives its number."""

    def __init__(self, error: Exception | None = None) -> None:
        self.starts, self.error = 0, error
        self.started, self.go, self.ended = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def __call__(self, demand: Demand) -> int:
        self.starts += 1
        number = self.starts
        self.started.set()
        await self.go.wait()
        self.ended.set()
        if self.error:
            raise self.error
        return number


def test_work_that_many_wait_for_is_done_once() -> None:
    async def scenario() -> None:
        flights, work = Flights[int](), Work()
        waiters = [asyncio.create_task(flights.join("a", work, CLICK)) for _ in range(20)]
        await work.started.wait()
        waiters += [asyncio.create_task(flights.join("a", work, CLICK))]
        work.go.set()
        assert await asyncio.gather(*waiters) == [1] * 21

    run(scenario())


def test_each_key_has_a_flight_of_its_own() -> None:
    async def scenario() -> None:
        flights, work = Flights[int](), Work()
        work.go.set()
        assert sorted(await asyncio.gather(flights.join("a", work, CLICK), flights.join("b", work, CLICK))) == [1, 2]

    run(scenario())


def test_work_is_done_anew_once_it_has_landed() -> None:
    async def scenario() -> None:
        flights, work = Flights[int](), Work()
        work.go.set()
        assert [await flights.join("a", work, CLICK) for _ in range(3)] == [1, 2, 3]

    run(scenario())


def test_an_error_reaches_every_waiter_and_the_next_call_works() -> None:
    async def scenario() -> None:
        flights, work = Flights[int](), Work(ValueError("broken"))
        waiters = [asyncio.create_task(flights.join("a", work, CLICK)) for _ in range(3)]
        work.go.set()
        errors = await asyncio.gather(*waiters, return_exceptions=True)
        assert [repr(error) for error in errors] == ["ValueError('broken')"] * 3
        work.error = None
        assert await flights.join("a", work, CLICK) == 2

    run(scenario())


@pytest.mark.parametrize("gives_up", [0, 1])
def test_a_caller_that_gives_up_leaves_the_work_going_for_the_others(gives_up: int) -> None:
    async def scenario() -> None:
        flights, work = Flights[int](), Work()
        waiters = [asyncio.create_task(flights.join("a", work, CLICK)) for _ in range(2)]
        await work.started.wait()
        waiters[gives_up].cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiters[gives_up]
        work.go.set()
        assert await waiters[1 - gives_up] == 1

    run(scenario())


def test_work_goes_on_when_everyone_has_given_up_and_a_newcomer_joins_it() -> None:
    async def scenario() -> None:
        flights, work = Flights[int](), Work()
        waiter = asyncio.create_task(flights.join("a", work, CLICK))
        await work.started.wait()
        waiter.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiter
        newcomer = asyncio.create_task(flights.join("a", work, CLICK))
        work.go.set()
        assert await newcomer == 1

    run(scenario())


def test_an_error_that_nobody_waits_for_is_not_reported_as_lost() -> None:
    complaints: list[dict[str, Any]] = []

    async def scenario() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, complaint: complaints.append(complaint))
        flights, work = Flights[int](), Work(ValueError("broken"))
        waiter = asyncio.create_task(flights.join("a", work, CLICK))
        await work.started.wait()
        waiter.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiter
        work.go.set()
        await work.ended.wait()

    run(scenario())
    gc.collect()
    assert complaints == []


def test_a_flight_is_as_urgent_as_the_most_urgent_who_wait_for_it() -> None:
    async def scenario() -> None:
        demands: list[Demand] = []

        async def watched(demand: Demand) -> int:
            demands.append(demand)
            return await work(demand)

        flights, work = Flights[int](), Work()
        crawl = asyncio.create_task(flights.join("a", watched, Demand(Priority.CRAWL)))
        await work.started.wait()
        seen = [demands[0].priority]
        click = asyncio.create_task(flights.join("a", watched, CLICK))
        await asyncio.sleep(0)
        seen.append(demands[0].priority)
        click.cancel()
        crawl.cancel()
        await asyncio.gather(click, crawl, return_exceptions=True)
        seen.append(demands[0].priority)
        assert seen == [Priority.CRAWL, Priority.CLICK, None]

    run(scenario())


def test_who_joins_a_flight_that_is_being_abandoned_starts_it_anew() -> None:
    async def scenario() -> None:
        flights, work = Flights[int](), Work(Abandoned())
        first = asyncio.create_task(flights.join("a", work, CLICK))
        await work.started.wait()
        work.go.set()
        await work.ended.wait()
        work.error = None
        work.go.clear()
        waiters = [first, asyncio.create_task(flights.join("a", work, CLICK))]
        for _ in range(5):  # both have joined the new flight
            await asyncio.sleep(0)
        work.go.set()
        assert await asyncio.gather(*waiters) == [2, 2]

    run(scenario())


def test_who_joins_a_flight_is_told_a_wait_and_who_began_it_the_stages_of_the_work() -> None:
    async def asked(flights: Flights[int], work: Work) -> dict[str, float]:
        async def timed(demand: Demand) -> int:
            with stage("encode"):
                return await work(demand)

        with collect_stages() as seconds:
            await flights.join("a", timed, CLICK)
        return seconds

    async def scenario() -> None:
        flights, work = Flights[int](), Work()
        first = asyncio.create_task(asked(flights, work))
        await work.started.wait()
        second = asyncio.create_task(asked(flights, work))
        await asyncio.sleep(0)
        work.go.set()
        assert [list(seconds) for seconds in await asyncio.gather(first, second)] == [["encode"], ["wait"]]

    run(scenario())


def test_closing_ends_all_flights() -> None:
    async def scenario() -> None:
        flights, work = Flights[int](), Work()
        waiter = asyncio.create_task(flights.join("a", work, CLICK))
        await work.started.wait()
        await flights.close()
        with pytest.raises(asyncio.CancelledError):
            await waiter

    run(scenario())
