"""Which bytes an image's URI was last seen to hold."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

_CAPACITY = 100_000  # entries of some 200 bytes


@dataclass(frozen=True, slots=True)
class Identity:
    """The sha256 (hex) of an image's bytes, and when (seconds, on the owner's clock) they were seen."""

    sha256: str
    seen: float


class Identities:
    """URI -> Identity, least recently used first out. An image may be replaced under its URI, so entries age."""

    def __init__(self, fresh_seconds: float, clock: Callable[[], float]) -> None:
        self._fresh_seconds = fresh_seconds
        self._clock = clock
        self._entries: OrderedDict[str, Identity] = OrderedDict()

    def get(self, uri: str) -> Identity | None:
        """What was last seen at `uri`, however long ago."""
        identity = self._entries.get(uri)
        if identity:
            self._entries.move_to_end(uri)
        return identity

    def put(self, uri: str, sha256: str) -> None:
        """`uri` holds these bytes now, or is taken to, as it cannot be looked at."""
        self._entries[uri] = Identity(sha256, self._clock())
        self._entries.move_to_end(uri)
        if len(self._entries) > _CAPACITY:
            self._entries.popitem(last=False)

    def is_fresh(self, identity: Identity) -> bool:
        """Whether it was seen so recently that nobody needs to look again."""
        return self._clock() - identity.seen < self._fresh_seconds
