"""Where a request's time goes: seconds by stage, wherever in the server the stage runs."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from typing import TypeVar

T = TypeVar("T")

# in the order of a click's way
STAGES = ("parse", "wait", "fetch", "decode", "encode", "queue", "decoder", "postprocess", "result")

_collected: ContextVar[dict[str, float]] = ContextVar("stages")


@contextmanager
def collect_stages() -> Iterator[dict[str, float]]:
    """Collects the stages that run inside, also in tasks and threads started there: stage -> seconds."""
    seconds: dict[str, float] = {}
    token = _collected.set(seconds)
    try:
        yield seconds
    finally:
        _collected.reset(token)


@contextmanager
def stage(name: str) -> Iterator[None]:
    """Times what runs inside as one of STAGES; a stage that runs twice counts twice."""
    started = time.perf_counter()
    try:
        yield
    finally:
        _add(name, time.perf_counter() - started)


def queued(work: Callable[[], T]) -> Callable[[], T]:
    """`work` to be run by a thread: the wait for the thread is a stage too, and its stages are collected here."""
    submitted, context = time.perf_counter(), copy_context()

    def run() -> T:
        _add("queue", time.perf_counter() - submitted)
        return work()

    return lambda: context.run(run)


def _add(name: str, seconds: float) -> None:
    collected = _collected.get(None)
    if collected is not None:
        collected[name] = collected.get(name, 0.0) + seconds
