"""The images of all tasks of a project, page by page."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from functools import partial

from server.core.labelconfig import LabelConfig
from server.core.reference import ImageReference, Login
from server.core.task import Task, image_references
from server.service.ports import TaskSource
from server.service.retries import retried

_PAGE = 500
PAUSES = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)  # a minute: longer than Label Studio takes to restart


@dataclass(frozen=True, slots=True)
class Shown:
    """A project's number, and what it shows; its images are behind `login`."""

    project: str
    config: LabelConfig
    login: Login | None


async def images_by_task(
    source: TaskSource, shown: Shown, told: Callable[[str], None]
) -> AsyncIterator[list[ImageReference]]:
    """The images of each task, in the order of the tasks' ids; holds one page of tasks at a time.

    Raises:
        SamserveError: no answer for a minute, or a refusal; `told` is called before each new attempt.
    """
    last = 0
    while page := await _page(source, shown.project, last, told):
        for task in page:
            yield image_references(task, shown.config, shown.login)
        last = int(page[-1].id)


async def _page(source: TaskSource, project: str, last: int, told: Callable[[str], None]) -> list[Task]:
    return await retried(partial(source.tasks_after, project, last, _PAGE), PAUSES, told)
