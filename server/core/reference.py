"""Which image a click is on."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ImageReference:
    """An image as a task names it.

    Attributes:
        value: the reference as the task spells it: a URL, a data: URI, a path of Label Studio's.
        task: the task's id, to name it in messages.
    """

    value: str
    task: str
