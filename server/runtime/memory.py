"""Telling that a device's memory is full from all else that may go wrong in a run."""

from collections.abc import Iterator
from contextlib import contextmanager

_SIGNS = ("failed to allocate memory", "out of memory", "available memory of")  # onnxruntime has no type for it


class DeviceFull(Exception):
    """A device has no room for what a run needs; less on it, the run may succeed."""


@contextmanager
def telling_when_full(graph: str) -> Iterator[None]:
    """Raises DeviceFull where onnxruntime's error inside means that; all else goes through."""
    try:
        yield
    except Exception as error:  # onnxruntime raises a family of its own, without a common base
        if any(sign in str(error).lower() for sign in _SIGNS):
            raise DeviceFull(f"{graph} has no room to run: {error}") from error
        raise
