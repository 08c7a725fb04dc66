import asyncio
from collections.abc import Sequence

from server.core.reference import ImageReference
from server.core.task import Task
from server.errors import ImageUnavailable
from server.service.next_tasks import NextTasks
from server.service.projects import Projects
from tests.unit.stand_ins import Clock

CONFIG = '<View><Image name="image" value="$image"/></View>'


class Source:
    """Knows every task there could be; answers only while it is up."""

    def __init__(self) -> None:
        self.up = True

    async def tasks_after(self, project: str, task: int, count: int) -> list[Task]:
        if not self.up:
            raise ImageUnavailable("Label Studio is down")
        return [
            Task(str(number), {"image": f"asked-{project}-{number}"}) for number in range(task + 1, task + 1 + count)
        ]

    async def tasks(self, project: str, ids: Sequence[str]) -> list[Task]:
        raise AssertionError("nothing is asked for by its id here")


class Desk:
    def __init__(self, source: Source | None = None, count: int = 2) -> None:
        self.clock, projects = Clock(), Projects(8)
        projects.put("1", CONFIG)
        self.following = NextTasks(projects, source, count, self.clock)

    def see(self, *tasks: int | str, project: str = "1") -> None:
        for task in tasks:
            told = Task(str(task), {})
            self.following.see(project, told, [ImageReference(f"seen-{project}-{task}", told.id)])

    def after(self, task: int) -> list[str]:
        return [found.value for found in asyncio.run(self.following.images_after("1", str(task)))]


def test_the_next_seen_tasks_of_the_project_follow_by_id() -> None:
    desk = Desk()
    desk.see(30, 10, 20, 5, 15)
    desk.see(11, 12, project="2")
    assert [desk.after(number) for number in (9, 10, 20, 30)] == [
        ["seen-1-10", "seen-1-15"],
        ["seen-1-15", "seen-1-20"],
        ["seen-1-30"],
        [],
    ]


def test_a_deleted_task_follows_no_other() -> None:
    desk = Desk()
    desk.see(10, 11, 12)
    desk.following.forget({"11"})
    assert desk.after(10) == ["seen-1-12"]


def test_a_long_data_uri_is_not_remembered() -> None:
    desk = Desk()
    desk.following.see("1", Task("11", {}), [ImageReference("data:" + "x" * 5000, "11"), ImageReference("short", "11")])
    assert desk.after(10) == ["short"]


def test_of_a_task_with_very_many_images_the_first_ones_are_remembered() -> None:
    desk = Desk()
    desk.following.see("1", Task("11", {}), [ImageReference(f"page-{n}", "11") for n in range(5000)])
    assert desk.after(10) == [f"page-{n}" for n in range(100)]


def test_tasks_that_have_no_number_have_no_next_one() -> None:
    desk = Desk()
    desk.see("None", "x", "9" * 5000, 11)
    assert [desk.following.is_due("1", task) for task in ("None", "x", "-1", "9" * 5000)] == [False] * 4
    assert desk.after(10) == ["seen-1-11"]


def test_seen_tasks_are_forgotten_from_the_oldest_on_where_they_take_too_much_memory() -> None:
    desk = Desk(count=1000)
    for number in range(1, 201):
        images = [ImageReference(f"{number}-" + "x" * 4000, str(number))] * 50
        desk.following.see("1", Task(str(number), {}), images)
    kept = sorted({int(value.partition("-")[0]) for value in desk.after(0)})
    assert 60 < len(kept) < 80  # of some 220 KB each, in 16 MiB
    assert kept == list(range(201 - len(kept), 201))


def test_a_task_that_is_seen_again_or_forgotten_takes_no_more_room() -> None:
    desk = Desk(count=100_000)
    images = [ImageReference("x" * 4000, "11")] * 50
    for _ in range(200):
        desk.following.see("1", Task("11", {}), images)
        desk.following.see("1", Task("12", {}), images)
        desk.following.forget({"12"})
    desk.see(13)
    assert len(desk.after(10)) == 51


def test_label_studio_is_asked_rather_than_memory() -> None:
    desk = Desk(Source())
    desk.see(20)
    assert desk.after(10) == ["asked-1-11", "asked-1-12"]


def test_memory_helps_out_while_label_studio_does_not_answer() -> None:
    source = Source()
    desk = Desk(source)
    desk.see(20)
    source.up = False
    assert desk.after(10) == ["seen-1-20"]
    source.up = True
    assert desk.after(10) == ["asked-1-11", "asked-1-12"]


def test_it_is_looked_ahead_once_per_task_and_again_after_a_while() -> None:
    desk = Desk()
    due = desk.following.is_due
    assert [due("1", "7"), due("1", "7"), due("1", "8"), due("2", "7"), due("1", "7")] == [
        True,
        False,
        True,
        True,
        False,
    ]
    desk.clock.now += 301
    assert [due("1", "7"), due("1", "7")] == [True, False]


def test_nothing_is_due_where_looking_ahead_is_off() -> None:
    desk = Desk(count=0)
    assert not desk.following.is_due("1", "7")
