"""Waiting until something that happens elsewhere has happened."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


def run(work: Coroutine[Any, Any, T], seconds: float = 20) -> T:
    """The result of `work`, in an event loop of its own; fails when it takes longer than that."""

    async def bounded() -> T:
        return await asyncio.wait_for(work, seconds)

    return asyncio.run(bounded())


async def until(condition: Callable[[], bool]) -> None:
    """Returns once `condition` holds; who never sees it hold fails by its own time limit."""
    while not condition():  # noqa: ASYNC110 - what is waited for has no event to wait on
        await asyncio.sleep(0.001)


def eventually(condition: Callable[[], bool], seconds: float = 10) -> bool:
    """Whether `condition` holds within so many seconds."""
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.005)
    return condition()
