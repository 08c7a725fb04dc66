"""How urgently a result is wanted, by whoever waits for it just now."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import IntEnum


class Priority(IntEnum):
    """Why an image is encoded; the smaller, the sooner."""

    CLICK = 0
    OPENED = 1
    LOOK_AHEAD = 2
    CRAWL = 3


class Abandoned(Exception):
    """The work was not begun, as nobody waited for it any more."""


class Demand:
    """Somebody's wish for a result, or the wishes of all who wait for the same one: as urgent as the most urgent."""

    def __init__(self, priority: Priority | None = None) -> None:
        self._own = priority
        self._waiting: list[Demand] = []
        self._watchers: list[Callable[[], None]] = []

    @property
    def priority(self) -> Priority | None:
        """It changes while callers come and go; None when nobody waits."""
        priorities = [self._own, *(demand.priority for demand in tuple(self._waiting))]
        return min((priority for priority in priorities if priority is not None), default=None)

    def is_urgent(self) -> bool:
        """Whether an annotator waits for it now; any thread may ask."""
        priority = self.priority
        return priority is not None and priority <= Priority.OPENED

    @contextmanager
    def joined_by(self, demand: "Demand") -> Iterator[None]:
        """While this lasts, `demand` is part of this one."""
        self._waiting.append(demand)
        try:
            with demand.watched(self._tell):
                self._tell()
                yield
        finally:
            self._waiting.remove(demand)

    @contextmanager
    def watched(self, watcher: Callable[[], None]) -> Iterator[None]:
        """While this lasts, `watcher` is called whenever it may have become more urgent."""
        self._watchers.append(watcher)
        try:
            yield
        finally:
            self._watchers.remove(watcher)

    def _tell(self) -> None:
        for watcher in tuple(self._watchers):
            watcher()
