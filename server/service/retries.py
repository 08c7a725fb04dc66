"""Trying again what may work in a while."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from server.errors import SamserveError

T = TypeVar("T")


async def retried(
    work: Callable[[], Awaitable[T]], pauses: Sequence[float], told: Callable[[str], None] = lambda _: None
) -> T:
    """The result of `work`, which is tried again after each of the pauses (seconds) while its error may pass.

    Raises:
        SamserveError: the last error, or the first that will not pass.
    """
    for pause in pauses:
        try:
            return await work()
        except SamserveError as error:
            if not error.may_pass:
                raise
            told(f"{error}; trying again in {pause:g} s")
        await asyncio.sleep(pause)
    return await work()
