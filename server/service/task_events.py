"""What happens to tasks, and which images are wanted because of it."""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import replace
from functools import partial

import structlog

from server.core.reference import Login
from server.core.task import Task
from server.errors import SamserveError
from server.service.chores import Chores
from server.service.demand import Priority
from server.service.next_tasks import NextTasks
from server.service.ports import TaskSource
from server.service.precompute import Precompute
from server.service.projects import Projects, Told

_PAGE = 100  # tasks of a bulk job before other jobs have their turn; their ids go into a URL

log = structlog.get_logger("samserve.tasks")


class TaskEvents:
    """Every method but `prewarm` returns at once, and none fails: what is wanted is a favour, not a duty."""

    def __init__(
        self,
        precompute: Precompute,
        projects: Projects,
        following: NextTasks,
        chores: Chores,
        source: TaskSource | None,
    ) -> None:
        self._precompute, self._projects, self._following = precompute, projects, following
        self._chores, self._source = chores, source

    def configured(self, project: str, label_config: str | None) -> None:
        """The project's labeling config was told."""
        self._projects.put(project, label_config)

    def told(self, project: str, label_config: str | None, login: Login | None) -> Told:
        """The project as a request tells it, with its login: the request's tasks are fetched so, and with no other."""
        return self._projects.tell(project, label_config, login)

    def opened(self, told: Told, tasks: Sequence[Task]) -> None:
        """One task is opened, or predictions are asked for many."""
        if len(tasks) == 1:
            self._want(told, tasks[0], Priority.OPENED)
            if self._following.is_due(told.project, tasks[0].id):
                self._look_ahead(told.project, tasks[0])
        else:
            self._chores.add("many tasks", partial(self._want_all, told, tasks))

    def clicked(self, told: Told, task: Task) -> None:
        """A click on a task was answered."""
        if self._following.is_due(told.project, task.id):
            self._want(told, task, Priority.OPENED)  # it may have more images than the one that was clicked
            self._look_ahead(told.project, task)

    async def prewarm(self, told: Told, task: Task) -> list[bool]:
        """For each image of a task that is about to be labelled, whether it needs no more encoding."""
        kept = [await self._precompute.is_kept(reference) for reference in told.images(task)]
        self.opened(told, [task])
        return kept

    def created(self, project: str, tasks: Sequence[Task]) -> None:
        """There are new tasks, says whoever it is: Label Studio is asked for what is in them.

        Where it cannot be asked, they are taken as told, and no login goes with them.
        """
        if not tasks:
            return
        if self._source:
            work = partial(self._ask_for, self._source, project, [task.id for task in tasks])
        else:
            full = [task for task in tasks if task.data]
            work = partial(self._want_all, replace(self._projects.known(project), login=None), full)
        self._chores.add("new tasks", work)

    def deleted(self, tasks: Collection[str]) -> None:
        """These tasks are gone."""
        self._precompute.forget(tasks)
        self._following.forget(tasks)

    def released(self, task: str) -> None:
        """Nobody labels this task any more."""
        self._precompute.forget([task])

    def _want(self, told: Told, task: Task, priority: Priority) -> None:
        images = told.images(task)
        self._following.see(told.project, task, images)
        for reference in images:
            self._precompute.want(reference, priority)

    def _look_ahead(self, project: str, task: Task) -> None:
        self._chores.add("look ahead", partial(self._want_following, project, task.id))

    async def _want_following(self, project: str, task: str) -> None:
        for reference in await self._following.images_after(project, task):
            self._precompute.want(reference, Priority.LOOK_AHEAD)

    async def _want_all(self, told: Told, tasks: Sequence[Task]) -> None:
        for task in tasks[:_PAGE]:
            self._want(told, task, Priority.CRAWL)
            await asyncio.sleep(0)  # clicks are answered in between
        if rest := tasks[_PAGE:]:
            self._chores.add_rest("many tasks", partial(self._want_all, told, rest))

    async def _ask_for(self, source: TaskSource, project: str, ids: Sequence[str]) -> None:
        try:
            tasks = await source.tasks(project, ids[:_PAGE])
        except SamserveError as error:
            log.warning("cannot_ask_for_new_tasks", project=project, tasks=len(ids), reason=str(error))
            return
        await self._want_all(self._projects.known(project), tasks)
        if rest := ids[_PAGE:]:
            self._chores.add_rest("new tasks", partial(self._ask_for, source, project, rest))
