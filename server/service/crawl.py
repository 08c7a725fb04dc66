"""Having all images of many tasks encoded, a few at a time."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from functools import partial

from server.core.reference import ImageReference
from server.errors import SamserveError
from server.service.precompute import Precompute
from server.service.retries import retried

_FAILURES_KEPT = 100
_PAUSES = (1.0, 4.0)  # for an image's server; what it does not give then, it does not have


@dataclass(frozen=True, slots=True)
class Listing:
    """What there is to crawl.

    Attributes:
        noun: what the items are called: tasks, or images.
        total: how many items there are.
        items: the images of each.
    """

    noun: str
    total: int
    items: AsyncIterator[list[ImageReference]]


@dataclass(slots=True)
class Tally:
    """How far a crawl is.

    Attributes:
        items: those that are done with.
        bare: those of them without an image.
        encoded, kept, failed: images that were encoded now, that were already, and that cannot be.
        failures: (task, reason) of the first ones that failed.
    """

    items: int = 0
    bare: int = 0
    encoded: int = 0
    kept: int = 0
    failed: int = 0
    failures: list[tuple[str, str]] = field(default_factory=list)


class Crawl:
    """Has the images of a listing encoded; holds few of its items at a time, however many there are.

    It keeps `tally`, and calls `advanced` after each item.
    """

    def __init__(self, precompute: Precompute, tally: Tally, advanced: Callable[[], None]) -> None:
        self._precompute, self._tally, self._advanced = precompute, tally, advanced
        self._turn = asyncio.Lock()  # an iterator gives one item at a time
        self._ended: SamserveError | None = None

    async def run(self, items: AsyncIterator[list[ImageReference]]) -> None:
        """Returns once all is done; an image that fails is counted, and the next one goes on.

        Raises:
            SamserveError: the items ended with it; those before are done.
        """
        await asyncio.gather(*(self._work(items) for _ in range(2 * self._precompute.at_once)))
        if self._ended:
            raise self._ended

    async def _work(self, items: AsyncIterator[list[ImageReference]]) -> None:
        while (images := await self._next(items)) is not None:
            for reference in images:
                await self._crawl(reference)
            self._tally.bare += not images
            self._tally.items += 1
            self._advanced()

    async def _next(self, items: AsyncIterator[list[ImageReference]]) -> list[ImageReference] | None:
        async with self._turn:
            if self._ended:
                return None
            try:
                return await anext(items, None)
            except SamserveError as error:
                self._ended = error
                return None

    async def _crawl(self, reference: ImageReference) -> None:
        try:
            encoded = await retried(partial(self._precompute.crawl, reference), _PAUSES)
        except SamserveError as error:
            self._tally.failed += 1
            if len(self._tally.failures) < _FAILURES_KEPT:
                self._tally.failures.append((reference.task, str(error)))
        else:
            self._tally.encoded += encoded
            self._tally.kept += not encoded
