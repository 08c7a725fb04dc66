import asyncio

from server.core.reference import ImageReference
from server.service.backlog import Backlog
from server.service.demand import Priority
from tests.waiting import run

CLICK, OPENED, LOOK_AHEAD, CRAWL = Priority
ROOM = 1 << 20


def image(name: str, task: str = "1") -> ImageReference:
    return ImageReference(name, task)


async def taken(backlog: Backlog, least: Priority = CRAWL) -> list[str]:
    """Everything that can be taken at once, in order."""
    names = []
    while sum(count for priority, count in backlog.depth.items() if priority <= least):
        reference, _ = await backlog.take(least)
        names.append(reference.value)
    return names


def filled(*images: tuple[str, Priority], max_bytes: int = ROOM) -> Backlog:
    backlog = Backlog(max_bytes)
    for name, priority in images:
        backlog.add(image(name), priority)
    return backlog


def test_the_most_urgent_images_are_taken_first_and_equal_ones_in_order() -> None:
    backlog = filled(("c1", CRAWL), ("l", LOOK_AHEAD), ("c2", CRAWL), ("o1", OPENED), ("o2", OPENED))
    assert backlog.depth == {CRAWL: 2, LOOK_AHEAD: 1, OPENED: 2}
    assert run(taken(backlog)) == ["o1", "o2", "l", "c1", "c2"]


def test_an_image_that_is_wanted_again_waits_once_at_its_most_urgent() -> None:
    backlog = filled(("a", CRAWL), ("b", CRAWL), ("b", OPENED), ("b", CRAWL), ("a", CRAWL))
    assert run(taken(backlog)) == ["b", "a"]


def test_a_taker_waits_for_what_is_urgent_enough() -> None:
    async def scenario() -> None:
        backlog = filled(("c", CRAWL))
        waiting = asyncio.create_task(backlog.take(OPENED))
        await asyncio.sleep(0)
        backlog.add(image("l"), LOOK_AHEAD)
        await asyncio.sleep(0)
        assert not waiting.done()
        backlog.add(image("o"), OPENED)
        assert await waiting == (image("o"), OPENED)

    run(scenario())


def test_a_taker_that_gives_up_takes_nothing() -> None:
    async def scenario() -> None:
        backlog = Backlog(ROOM)
        gone, stays = asyncio.create_task(backlog.take(CRAWL)), asyncio.create_task(backlog.take(CRAWL))
        await asyncio.sleep(0)
        backlog.add(image("a"), CRAWL)
        gone.cancel()
        assert await stays == (image("a"), CRAWL)

    run(scenario())


def test_beyond_the_bound_the_newest_of_the_least_urgent_is_dropped_and_counted() -> None:
    three = 3 * 401
    backlog = filled(("o", OPENED), ("1", CRAWL), ("2", CRAWL), ("3", CRAWL), ("l", LOOK_AHEAD), max_bytes=three)
    assert backlog.dropped == {CRAWL: 2}
    assert run(taken(backlog)) == ["o", "l", "1"]


def test_a_long_data_uri_takes_the_room_of_many_references() -> None:
    backlog = filled(("a", LOOK_AHEAD), ("data:" + "x" * ROOM, CRAWL), ("b", CRAWL))
    assert backlog.dropped == {CRAWL: 1}
    assert run(taken(backlog)) == ["a", "b"]


def test_room_is_given_back_by_what_is_taken_and_by_what_is_forgotten() -> None:
    backlog = Backlog(2 * 401)
    for _ in range(5):
        backlog.add(image("a"), CRAWL)
        backlog.add(image("b", task="2"), OPENED)
        backlog.forget({"2"})
        assert run(taken(backlog)) == ["a"]
    assert not backlog.dropped


def test_the_images_of_forgotten_tasks_are_not_taken() -> None:
    backlog = Backlog(ROOM)
    for task in "123":
        backlog.add(image("a", task), CRAWL)
        backlog.add(image("b", task), OPENED)
    backlog.forget({"1", "3", "4"})
    assert run(taken(backlog)) == ["b", "a"]
