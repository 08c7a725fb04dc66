"""Asking Label Studio for tasks."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

import msgspec

from server.core.task import Task, task_number
from server.errors import ImageUnavailable
from server.images.http import HttpImages
from server.images.url import redacted


class _Task(msgspec.Struct):
    id: int
    data: dict[str, Any]


class _Page(msgspec.Struct):
    tasks: list[_Task]


class LabelStudioTasks:
    """A TaskSource: Label Studio at `url`, which `http` signs requests to."""

    def __init__(self, http: HttpImages, url: str) -> None:
        self._http, self._url = http, url.rstrip("/") + "/api/tasks/"

    async def tasks_after(self, project: str, task: int, count: int) -> list[Task]:
        """The `count` tasks of a project that come after a task, in the order of their ids.

        Raises:
            ImageError: Label Studio does not answer, or refuses to.
        """
        later = {"filter": "filter:tasks:id", "operator": "greater", "type": "Number", "value": task}
        query = {"filters": {"conjunction": "and", "items": [later]}, "ordering": ["tasks:id"]}
        return await self._list(project, query, count)

    async def tasks(self, project: str, ids: Sequence[str]) -> list[Task]:
        """Those of a project's tasks that there are.

        Raises:
            ImageError: Label Studio does not answer, or refuses to.
        """
        numbers = [number for number in map(task_number, ids) if number is not None]
        if not numbers:
            return []
        return await self._list(project, {"selectedItems": {"all": False, "included": numbers}}, len(numbers))

    async def _list(self, project: str, query: dict[str, Any], count: int) -> list[Task]:
        parameters = {
            "project": project,
            "page_size": count,
            "resolve_uri": "false",  # as /predict spells them, or one image would have two names
            "review": "true",  # or a project that predicts automatically would call /predict for these tasks
            "query": msgspec.json.encode(query),
        }
        answer = await self._http.call(f"{self._url}?{urlencode(parameters)}")
        try:
            page = msgspec.json.decode(answer, type=_Page)
        except msgspec.MsgspecError as error:
            raise ImageUnavailable(f"{redacted(self._url)} answers no list of tasks: {error}") from None
        return [Task(str(task.id), task.data) for task in page.tasks]
