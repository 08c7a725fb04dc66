"""A core for each thread of a graph.

Left to Linux, a thread that wakes up after a pause in a virtual machine is put beside the one that woke it, as a core
that sleeps is taken for one that the host has given to others. The two then take turns.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager


def own_cores(threads: int) -> tuple[int, ...]:
    """One for each thread, the caller's first; none where there are more, as others may have been given the same."""
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    return tuple(cores) if len(cores) == threads > 1 else ()


def for_workers(cores: tuple[int, ...]) -> str:
    """All but the caller's, as onnxruntime takes them: counted from 1."""
    return ";".join(str(core + 1) for core in cores[1:])


@contextmanager
def kept_on(cores: tuple[int, ...]) -> Iterator[None]:
    """The calling thread stays on the first of `cores`, if there are any and the system lets it."""
    before = _moved(set(cores[:1]))
    try:
        yield
    finally:
        _moved(before)


def _moved(cores: set[int]) -> set[int]:
    """Where the calling thread might run before it was sent to `cores`; nowhere if it was not."""
    if not cores:
        return set()
    try:
        before = os.sched_getaffinity(0)
        os.sched_setaffinity(0, cores)
    except OSError:
        return set()
    return before
