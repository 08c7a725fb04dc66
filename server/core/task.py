"""Where in a task's data its images are named."""

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from server.core.labelconfig import LabelConfig, ObjectTag
from server.core.reference import ImageReference, Login
from server.errors import BadTask

_NAME = re.compile(r"\$(\w+)")
_VARIABLE = re.compile(r"\$(\w[\w.\[\]]*)")
_DIGITS = 18  # fits 64 bits
_UPLOAD_WITHOUT_KEY = "$undefined$"  # Label Studio's key for uploads made before the project had a config


@dataclass(frozen=True, slots=True)
class Task:
    """A task as Label Studio tells it, without what was drawn on it."""

    id: str
    data: Mapping[str, Any]


def task_number(task: str) -> int | None:
    """A task's id as Label Studio counts them; None where it is another client's, or no number at all."""
    return int(task) if task.isdecimal() and len(task) <= _DIGITS else None


def image_references(task: Task, config: LabelConfig, login: Login | None = None) -> list[ImageReference]:
    """All images that a task shows, each once: of every `<Image>` the first, then of every one the second, ...

    `login` is what the project gives for them.
    """
    columns = [_image_values(task.data, tag) for tag in config.objects if tag.kind == "Image"]
    values = [value for row in zip_longest(*columns) for value in row if value]
    return [ImageReference(value, task.id, login) for value in dict.fromkeys(values)]


def image_value(data: Mapping[str, Any], tag: ObjectTag, item_index: int | None) -> str:
    """The image reference that `tag` points at in a task's data, as the task spells it.

    A value that is just `$path` is looked up (dots and [n] descend); in any other, each `$name` is filled in.

    Raises:
        BadTask: the field is missing, empty, or not text.
    """
    value = _resolve(tag.value, data)
    if tag.is_list:
        value = _nth(value, item_index or 0, tag)
    if not isinstance(value, str) or not value.strip():
        raise BadTask(f"the task's field {tag.value!r} (for <{tag.kind} name={tag.name!r}>) holds no image: {value!r}")
    return value.strip()


def _image_values(data: Mapping[str, Any], tag: ObjectTag) -> list[str]:
    """Those that can be had: it is the click on an image that is told why it has none."""
    values: list[str] = []
    with suppress(BadTask):
        shown = _resolve(tag.value, data)
        for index in range(len(shown)) if tag.is_list and isinstance(shown, list) else [0]:
            with suppress(BadTask):
                values.append(image_value(data, tag, index))
    return values


def _resolve(template: str, data: Mapping[str, Any]) -> Any:
    whole = _VARIABLE.fullmatch(template)
    if whole:
        return _look_up(whole[1], data)
    return _NAME.sub(lambda match: str(_look_up(match[1], data)), template)


def _look_up(path: str, data: Mapping[str, Any]) -> Any:
    if path in data:
        return data[path]
    if _UPLOAD_WITHOUT_KEY in data:
        return data[_UPLOAD_WITHOUT_KEY]
    value: Any = data
    for key in re.findall(r"[^.\[\]]+", path):
        try:
            value = value[int(key)] if isinstance(value, list) else value[key]
        except (KeyError, IndexError, TypeError, ValueError):
            raise BadTask(
                f"the task's data has no field {path!r}; it has {', '.join(map(repr, data)) or 'none'}"
            ) from None
    return value


def _nth(value: Any, index: int, tag: ObjectTag) -> Any:
    if not isinstance(value, list):
        raise BadTask(f"the task's field {tag.value!r} must be a list of images, as valueList says")
    if not 0 <= index < len(value):
        raise BadTask(f"item_index {index}: the task's field {tag.value!r} has {len(value)} images")
    return value[index]
