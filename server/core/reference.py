"""Which image a click is on."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Login:
    """The user and password that a project gives for its tasks' images."""

    user: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ImageReference:
    """An image as a task names it.

    Attributes:
        value: the reference as the task spells it: a URL, a data: URI, a path of Label Studio's.
        task: the task's id, to name it in messages, and to ask Label Studio for images in its cloud storage.
        login: for servers other than Label Studio.
    """

    value: str
    task: str
    login: Login | None = None
