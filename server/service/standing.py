"""Where the background work of a server stands."""

from collections.abc import Mapping, Sequence

import msgspec

from server.core.tier_counts import TierCounts
from server.service.backlog import Backlog
from server.service.demand import Priority
from server.service.encode_queue import EncodeQueue
from server.service.ports import KeepsTiers
from server.service.precompute import Precompute


class Lane(msgspec.Struct, frozen=True):
    """The images of one priority.

    Attributes:
        backlog: how many wait to be fetched; `dropped` of them were given up, as there were too many.
        queue: how many are fetched, and wait for the encoder; `refused` of them were sent away.
    """

    backlog: int
    dropped: int
    queue: int
    refused: int


class Standing(msgspec.Struct, frozen=True):
    """A moment of a server's background work: `done` and `failed` are images that nobody had clicked on."""

    done: int
    failed: int
    lanes: Mapping[str, Lane]  # by the priority's name
    tiers: list[TierCounts]


class Background:
    """All that works in the background, to be asked where it stands."""

    def __init__(
        self, precompute: Precompute, backlog: Backlog, queue: EncodeQueue, keepers: Sequence[KeepsTiers]
    ) -> None:
        self._precompute, self._backlog, self._queue, self._keepers = precompute, backlog, queue, keepers

    def standing(self) -> Standing:
        """Where it stands now."""
        waiting, queued = self._backlog.depth, self._queue.depth
        dropped, refused = self._backlog.dropped, self._queue.refused
        lanes = {
            priority.name.lower(): Lane(waiting[priority], dropped[priority], queued[priority], refused[priority])
            for priority in Priority
        }
        tiers = [tier for keeper in self._keepers for tier in keeper.tiers()]
        return Standing(self._precompute.done, self._precompute.failed, lanes, tiers)
