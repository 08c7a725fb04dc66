"""Noticing that a client has gone, so that nobody works for it any more."""

import asyncio
from collections.abc import AsyncGenerator, Coroutine
from typing import Any, TypeVar

from litestar import Request
from litestar.exceptions import HTTPException, InternalServerException

HUNG_UP = 499  # as nginx counts such requests; the answer is for the log alone

T = TypeVar("T")


class UploadedRequest(Request[Any, Any, Any]):
    """A request whose client may hang up before all of its body was sent; Litestar takes that for a fault of its own.

    Raises:
        HTTPException: while the body is read, the client has hung up.
    """

    async def stream(self) -> AsyncGenerator[bytes, None]:
        """The body in pieces."""
        try:
            async for piece in super().stream():
                yield piece
        except InternalServerException:  # the only reason that it has
            raise HTTPException("the client hung up before it had sent everything", status_code=HUNG_UP) from None


async def unless_hung_up(request: Request[Any, Any, Any], work: Coroutine[Any, Any, T]) -> T:
    """The result of `work`, for a request whose body was read; it is cancelled when the client hangs up.

    Raises:
        HTTPException: the client has hung up.
    """
    working, gone = asyncio.create_task(work), asyncio.create_task(_hang_up(request))
    try:
        await asyncio.wait([working, gone], return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise HTTPException("the client hung up before it was answered", status_code=HUNG_UP)
        return working.result()
    finally:
        working.cancel()
        gone.cancel()
        await asyncio.gather(working, gone, return_exceptions=True)


async def _hang_up(request: Request[Any, Any, Any]) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
