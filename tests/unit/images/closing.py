"""Using an image source that is closed afterwards."""

from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

from server.images.http import HttpImages
from tests.waiting import run


class _Source(Protocol):
    async def close(self) -> None: ...


S = TypeVar("S", bound=_Source)
T = TypeVar("T")


def closing(source: S, work: Callable[[S], Awaitable[T]]) -> T:
    """What `work` gives of the source, in an event loop of its own."""

    async def closed_afterwards() -> T:
        try:
            return await work(source)
        finally:
            await source.close()

    return run(closed_afterwards(), 30)


def bodies(images: HttpImages, *urls: str) -> list[bytes]:
    """The bodies of `urls`, fetched one after another."""

    async def one_after_another(images: HttpImages) -> list[bytes]:
        return [(await images.fetch(url)).content for url in urls]

    return closing(images, one_after_another)
