"""Which tasks come after the one that is being labelled."""

import heapq
from collections import OrderedDict
from collections.abc import Callable, Collection
from itertools import islice

import structlog

from server.core.reference import ImageReference
from server.core.task import Task, task_number
from server.errors import SamserveError
from server.service.ports import TaskSource
from server.service.projects import Projects

_SEEN_BYTES = 16 << 20  # of tasks remembered: some 25,000 with one image
_TASK_BYTES = 200  # beside its images
_LONGEST_VALUE = 4096  # a data: URI is as long as its image
_IMAGES = 100  # of a task
_LOOKED_FROM = 4096  # tasks from which it was looked ahead
_SECONDS = 300.0  # until it is looked ahead from the same task again

log = structlog.get_logger("samserve.look_ahead")


class NextTasks:
    """Asks `source`, or where there is none, or none that answers, knows the tasks that were seen.

    For one event loop; `clock` gives seconds.
    """

    def __init__(self, projects: Projects, source: TaskSource | None, count: int, clock: Callable[[], float]) -> None:
        self._projects, self._source, self._count, self._clock = projects, source, count, clock
        self._seen: OrderedDict[tuple[str, int], list[ImageReference]] = OrderedDict()
        self._seen_bytes = 0
        self._looked: OrderedDict[tuple[str, str], float] = OrderedDict()
        self._failing = False

    def see(self, project: str, task: Task, images: list[ImageReference]) -> None:
        """Remembers a task, in case that it comes after another one."""
        number = task_number(task.id)
        if not self._count or number is None:
            return
        short = (reference for reference in images if len(reference.value) <= _LONGEST_VALUE)
        self._unsee((project, number))
        self._seen[project, number] = seen = list(islice(short, _IMAGES))
        self._seen_bytes += _bytes(seen)
        while self._seen_bytes > _SEEN_BYTES:
            self._unsee(next(iter(self._seen)))

    def forget(self, tasks: Collection[str]) -> None:
        """There are no such tasks any more."""
        for key in [key for key in self._seen if str(key[1]) in tasks]:
            self._unsee(key)

    def is_due(self, project: str, task: str) -> bool:
        """Whether this task is new here: the clicks on one task look ahead once."""
        now, key = self._clock(), (project, task)
        if not self._count or task_number(task) is None or now - self._looked.get(key, -_SECONDS) < _SECONDS:
            return False
        self._looked[key] = now
        self._looked.move_to_end(key)
        if len(self._looked) > _LOOKED_FROM:
            self._looked.popitem(last=False)
        return True

    async def images_after(self, project: str, task: str) -> list[ImageReference]:
        """The images of the tasks that follow, nearest first; none where the task has no number."""
        number = task_number(task)
        if number is None:
            return []
        if not self._source:
            return self._seen_after(project, number)
        try:
            tasks = await self._source.tasks_after(project, number, self._count)
        except SamserveError as error:
            (log.debug if self._failing else log.warning)("cannot_ask_for_next_tasks", reason=str(error))
            self._failing = True
            return self._seen_after(project, number)
        self._failing = False
        told = self._projects.known(project)
        return [reference for following in tasks for reference in told.images(following)]

    def _unsee(self, key: tuple[str, int]) -> None:
        if key in self._seen:
            self._seen_bytes -= _bytes(self._seen.pop(key))

    def _seen_after(self, project: str, task: int) -> list[ImageReference]:
        later = (number for owner, number in self._seen if owner == project and number > task)
        numbers = heapq.nsmallest(self._count, later)
        return [reference for number in numbers for reference in self._seen[project, number]]


def _bytes(seen: list[ImageReference]) -> int:
    return _TASK_BYTES + sum(reference.nbytes for reference in seen)
