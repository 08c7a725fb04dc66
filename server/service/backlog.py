"""Images that wait to be precomputed: the most urgent first, bounded in memory."""

import asyncio
from collections import Counter
from collections.abc import Collection

from server.core.reference import ImageReference
from server.service.demand import Priority


class Backlog:
    """References by priority, first come first served; none twice. For one event loop.

    Beyond `max_bytes` the least urgent are dropped, among those the newest.

    Attributes:
        dropped: how many were, by priority.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes, self._bytes = max_bytes, 0
        self._lanes: dict[Priority, dict[ImageReference, None]] = {priority: {} for priority in Priority}
        self._takers: dict[asyncio.Future[None], None] = {}  # in the order they came
        self.dropped: Counter[Priority] = Counter()

    @property
    def depth(self) -> Counter[Priority]:
        """How many images wait, by priority."""
        return Counter({priority: len(lane) for priority, lane in self._lanes.items() if lane})

    def add(self, reference: ImageReference, priority: Priority) -> None:
        """Queues an image; one that is queued already keeps the more urgent of its priorities."""
        for other, lane in self._lanes.items():
            if reference in lane:
                if other <= priority:
                    return
                self._remove(reference, other)
        self._lanes[priority][reference] = None
        self._bytes += reference.nbytes
        while self._bytes > self._max_bytes:
            self._drop_one()
        for taker in self._takers:
            if not taker.done():
                taker.set_result(None)

    async def take(self, least: Priority) -> tuple[ImageReference, Priority]:
        """Removes and gives the most urgent image; waits while there is none of priority `least` or more urgent."""
        while True:
            for priority, lane in self._lanes.items():
                if lane and priority <= least:
                    reference = next(iter(lane))
                    self._remove(reference, priority)
                    return reference, priority
            await self._added()

    def forget(self, tasks: Collection[str]) -> None:
        """Removes all images of these tasks."""
        for priority, lane in self._lanes.items():
            for reference in [reference for reference in lane if reference.task in tasks]:
                self._remove(reference, priority)

    async def _added(self) -> None:
        taker = asyncio.get_running_loop().create_future()
        self._takers[taker] = None
        try:
            await taker
        finally:
            del self._takers[taker]

    def _drop_one(self) -> None:
        priority = max(priority for priority, lane in self._lanes.items() if lane)
        self._remove(next(reversed(self._lanes[priority])), priority)
        self.dropped[priority] += 1

    def _remove(self, reference: ImageReference, priority: Priority) -> None:
        del self._lanes[priority][reference]
        self._bytes -= reference.nbytes
