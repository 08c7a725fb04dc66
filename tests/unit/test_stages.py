"""Where time goes."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest

from server.stages import collect_stages, queued, stage


def test_stages_are_collected_by_name_and_add_up() -> None:
    with collect_stages() as seconds:
        with stage("fetch"):
            pass
        once = seconds["fetch"]
        with stage("fetch"), stage("decode"):
            pass
    assert set(seconds) == {"fetch", "decode"}
    assert seconds["fetch"] > once > 0


def test_a_stage_that_fails_has_taken_its_time_too() -> None:
    with collect_stages() as seconds, pytest.raises(ZeroDivisionError), stage("fetch"):
        _ = 1 / 0
    assert "fetch" in seconds


def test_outside_of_a_collection_nothing_is_kept() -> None:
    with stage("fetch"):
        pass
    with collect_stages() as seconds:
        pass
    assert seconds == {}


def test_each_request_collects_its_own() -> None:
    async def request(name: str) -> dict[str, float]:
        with collect_stages() as seconds:
            await asyncio.sleep(0)
            with stage(name):
                await asyncio.sleep(0)
            return seconds

    async def both() -> tuple[dict[str, float], dict[str, float]]:
        return await asyncio.gather(request("fetch"), request("encode"))

    assert [set(seconds) for seconds in asyncio.run(both())] == [{"fetch"}, {"encode"}]


def test_work_in_a_thread_is_collected_with_its_wait_for_the_thread() -> None:
    def work() -> int:
        with stage("decoder"):
            return 7

    with ThreadPoolExecutor(1) as thread, collect_stages() as seconds:
        assert thread.submit(queued(work)).result() == 7
    assert set(seconds) == {"queue", "decoder"}
