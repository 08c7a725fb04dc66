import asyncio
from collections.abc import Awaitable, Callable

import pytest
from structlog.testing import capture_logs

from server.service.chores import Chores
from tests.waiting import run, until


def test_chores_are_done_one_after_another_and_one_that_fails_stops_no_other() -> None:
    done: list[str] = []

    def chore(name: str) -> Callable[[], Awaitable[None]]:
        async def work() -> None:
            done.append(f"{name} begins")
            await asyncio.sleep(0)
            if name == "b":
                raise ValueError("broken")
            done.append(f"{name} ends")

        return work

    async def scenario() -> None:
        chores = Chores()
        for name in "abc":
            chores.add(name, chore(name))
        async with chores.running():
            await until(lambda: "c ends" in done)

    with capture_logs() as logs:
        run(scenario())
    assert done == ["a begins", "a ends", "b begins", "c begins", "c ends"]
    assert [(line["event"], line["chore"]) for line in logs] == [("chore_failed", "b")]


def test_chores_that_do_not_fit_are_dropped_and_logged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.service.chores._CAPACITY", 2)
    done: list[int] = []

    async def scenario() -> None:
        chores = Chores()
        for number in range(4):

            async def work(number: int = number) -> None:
                done.append(number)

            chores.add(str(number), work)
        async with chores.running():
            await until(lambda: len(done) == 2)

    with capture_logs() as logs:
        run(scenario())
    assert done == [0, 1]
    assert [line["chore"] for line in logs] == ["2", "3"]


def test_the_rest_of_a_chore_comes_after_those_that_wait_and_is_not_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.service.chores._CAPACITY", 2)
    done: list[str] = []

    async def scenario() -> None:
        chores = Chores()

        async def short() -> None:
            done.append("short")

        async def long(parts: int = 3) -> None:
            done.append("part")
            if parts == 3:
                chores.add("short", short)
                chores.add("short", short)
            if parts > 1:
                chores.add_rest("long", lambda: long(parts - 1))

        chores.add("long", long)
        async with chores.running():
            await until(lambda: done.count("part") == 3)

    run(scenario())
    assert done == ["part", "short", "short", "part", "part"]


def test_a_chore_under_way_is_given_up_at_the_end() -> None:
    async def scenario() -> None:
        chores, started, given_up = Chores(), asyncio.Event(), asyncio.Event()

        async def endless() -> None:
            started.set()
            try:
                await asyncio.Event().wait()
            finally:
                given_up.set()

        chores.add("endless", endless)
        async with chores.running():
            await started.wait()
        assert given_up.is_set()

    run(scenario())
