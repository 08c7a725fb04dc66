"""Every error samserve raises on purpose.

SamserveError
├── BadRequest            the caller must change the request                    400
│   ├── BadTask             no task, no image field, an empty image value
│   ├── BadLabelConfig      XML that does not parse, or a control that is not in it
│   ├── BadOptions          an option that does not exist, or that the config cannot fulfil
│   └── BadPrompt           a gesture that makes no sense in its image
├── ImageError            the request is fine, its image is not
│   ├── ImageUnavailable    the bytes could not be fetched                      502
│   ├── ImageRefused        a safety rule forbids fetching or decoding it       422
│   └── ImageUnreadable     the bytes are not a whole image                     422
├── Overloaded            too much is queued; try again later                   503
├── ModelUnusable         the weights are missing, broken or do not fit         stops the start
├── ServerUnreachable     no samserve answers there                             ends the command
├── ServerRefused         a running samserve says no                            ends the command
├── StudioRefused         Label Studio's API is out of reach, or says no          ends the command
└── BadSettings           a setting that does not exist or does not parse       stops the start
"""

from copy import copy


class SamserveError(Exception):
    """Base of the tree; its message names the thing and the way out, and is safe to show to the caller.

    Attributes:
        may_pass: whether the same may work in a while, without anybody changing anything.
    """

    may_pass = False


class BadRequest(SamserveError):
    """The caller must change the request."""


class BadTask(BadRequest):
    """The task lacks what is needed to find its image."""


class BadLabelConfig(BadRequest):
    """The labeling config cannot be used."""


class BadOptions(BadRequest):
    """An answer option that does not exist, does not parse, or cannot be fulfilled."""


class BadPrompt(BadRequest):
    """A gesture that makes no sense in its image."""


class ImageError(SamserveError):
    """The task's image cannot be used."""

    def of_task(self, task: str) -> "ImageError":
        """The same error, with the task named; not this one, as others may wait for the same image."""
        named = copy(self)
        named.args = (f"task {task}: {self}",)
        return named


class ImageUnavailable(ImageError):
    """The image's bytes could not be fetched."""

    def __init__(self, message: str, *, may_pass: bool = False) -> None:
        super().__init__(message)
        self.may_pass = may_pass


class ImageRefused(ImageError):
    """A safety rule forbids fetching or decoding the image."""


class ImageUnreadable(ImageError):
    """The bytes are not a whole image of a known format."""


class Overloaded(SamserveError):
    """Too much is queued already.

    Attributes:
        retry_after: seconds after which trying again makes sense.
    """

    def __init__(self, message: str, retry_after: int = 1) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class ModelUnusable(SamserveError):
    """The weights are missing, broken, or do not fit their manifest."""


class StudioRefused(SamserveError):
    """Label Studio's API cannot be reached, or does not do what it was asked.

    Attributes:
        status: of its answer; None where there is none.
    """

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.may_pass = status is None or is_passing(status)


class ServerUnreachable(SamserveError):
    """No samserve answers at an address, or not to this user."""


class ServerRefused(SamserveError):
    """A running samserve does not do what it was asked; the message has its own reason."""


class BadSettings(SamserveError):
    """A setting does not exist or does not parse."""


def is_passing(status: int) -> bool:
    """Whether an HTTP status says that the server is in trouble, or busy, and not that the request is wrong."""
    return status in (408, 425, 429) or status >= 500
