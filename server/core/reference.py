"""Which image, or which part of it, a click is on."""

import sys
from dataclasses import dataclass, field

from server.core.crop import Crop

_OVERHEAD = 350  # bytes beside its text, with its place in a dictionary


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
        crop: the part that is meant; None for all of it.
    """

    value: str
    task: str
    login: Login | None = None
    crop: Crop | None = None

    @property
    def nbytes(self) -> int:
        """About what it takes in memory; a login is shared by many."""
        return sys.getsizeof(self.value) + _OVERHEAD

    def identity(self, image_sha256: str) -> str:
        """What its embedding is kept under, given the sha256 (hex) of the whole image's bytes."""
        return self.crop.identity(image_sha256) if self.crop else image_sha256
