"""Label Studio's JSON export: its tasks, without what was drawn on them."""

import mmap
from pathlib import Path
from typing import Any

import msgspec

from server.core.task import Task
from server.errors import BadTask


class _Task(msgspec.Struct):
    data: dict[str, Any]
    id: int | str | None = None


_TASKS = msgspec.json.Decoder(list[_Task])


def read_export(path: Path) -> list[Task]:
    """The tasks of an export; one without an id is called by its place, from #1. Annotations are skipped, not built.

    Raises:
        BadTask: it is not a JSON export.
    """
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            tasks = _TASKS.decode(content)
    except (OSError, ValueError, RecursionError) as error:  # an empty file cannot be mapped
        raise BadTask(
            f"{path}: {error}; expected a list of tasks, each with its data, as Label Studio exports as JSON"
        ) from None
    return [Task(str(task.id or f"#{place}"), task.data) for place, task in enumerate(tasks, 1)]
