"""How bulk work about tasks, and what is urgent, take turns."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from server.core.reference import Login
from server.core.task import Task
from server.errors import ImageUnavailable
from server.service.backlog import Backlog
from server.service.chores import Chores
from server.service.demand import Priority
from server.service.next_tasks import NextTasks
from server.service.precompute import Precompute
from server.service.projects import Projects
from server.service.task_events import TaskEvents
from tests.unit.large_image import Desk as Looking
from tests.waiting import run, until

CONFIG = '<View><Image name="image" value="$image"/></View>'


class Source:
    """Knows every task there could be, and what it was asked; answers once `go` is set, but for task `down`."""

    def __init__(self, down: str = "") -> None:
        self.asked: list[str] = []
        self.go, self._down = asyncio.Event(), down

    async def tasks_after(self, project: str, task: int, count: int) -> list[Task]:
        self.asked.append(f"after {task}")
        return []

    async def tasks(self, project: str, ids: Sequence[str]) -> list[Task]:
        self.asked.append(f"{ids[0]}-{ids[-1]}")
        await self.go.wait()
        if self._down in ids:
            raise ImageUnavailable("Label Studio is down")
        return [task(number) for number in ids]


class Desk:
    def __init__(self, source: Source) -> None:
        thread, projects = ThreadPoolExecutor(1), Projects(8)
        self.source, self.backlog, self.chores = source, Backlog(1 << 20), Chores()
        precompute = Precompute(Looking((thread, thread)).embedder, self.backlog, lambda stages: None)
        following = NextTasks(projects, source, 2, lambda: 0.0)
        self.events = TaskEvents(precompute, projects, following, self.chores, source)
        self.told = self.events.told("1", CONFIG, None)

    def crawled(self) -> int:
        """How many images wait to be crawled."""
        return self.backlog.depth[Priority.CRAWL]


def task(number: int | str) -> Task:
    return Task(str(number), {"image": f"http://x/{number}"})


def ids(count: int) -> list[str]:
    return [str(number) for number in range(count)]


def test_looking_ahead_waits_for_one_page_of_an_import_not_for_all_of_it() -> None:
    async def scenario() -> None:
        desk = Desk(Source())
        async with desk.chores.running():
            desk.events.created("1", [Task(number, {}) for number in ids(250)])
            await until(lambda: bool(desk.source.asked))
            desk.events.opened(desk.told, [task(500)])
            desk.source.go.set()
            await until(lambda: desk.crawled() == 250)
        assert desk.source.asked == ["0-99", "after 500", "100-199", "200-249"]

    run(scenario())


def test_looking_ahead_waits_for_one_page_of_tasks_that_were_told_in_full() -> None:
    async def scenario() -> None:
        desk, waiting = Desk(Source()), []

        async def count() -> None:
            waiting.append(desk.crawled())

        desk.events.opened(desk.told, [task(number) for number in range(250)])
        desk.events.opened(desk.told, [task(500)])
        desk.chores.add("count", count)
        async with desk.chores.running():
            await until(lambda: desk.crawled() == 250)
        assert waiting == [100]
        assert desk.source.asked == ["after 500"]

    run(scenario())


def test_an_import_that_cannot_be_asked_for_any_more_ends_there() -> None:
    async def scenario() -> None:
        desk = Desk(Source(down="150"))
        desk.source.go.set()
        async with desk.chores.running():
            desk.events.created("1", [Task(number, {}) for number in ids(250)])
            await until(lambda: len(desk.source.asked) == 2)
            desk.events.opened(desk.told, [task(500)])
            await until(lambda: len(desk.source.asked) == 3)
        assert (desk.crawled(), desk.source.asked[2]) == (100, "after 500")

    run(scenario())


def test_many_tasks_of_a_stranger_do_not_get_the_login_that_label_studio_tells_before_their_turn() -> None:
    async def scenario() -> None:
        desk = Desk(Source())
        desk.events.opened(desk.told, [task(number) for number in range(150)])
        desk.events.told("1", CONFIG, Login("ann", "pw"))
        async with desk.chores.running():
            await until(lambda: desk.crawled() == 150)
        taken = [await desk.backlog.take(Priority.CRAWL) for _ in range(150)]
        assert {reference.login for reference, _ in taken} == {None}

    run(scenario())
