"""Ways to encode: the stock graph, or one of samserve's own in its place."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

from server.runtime.device_tensor import HOST
from server.runtime.encoders import Encoders
from server.runtime.gpu import Gpu
from server.runtime.parity import EXACT, Limits
from server.runtime.providers import CUDA
from server.runtime.session import Session

_BATCH = 4  # images not waited for: more take memory from what clicks need, and a click waits for one run


@dataclass(frozen=True)
class Encoder:
    """A graph that makes embeddings, loaded when it is first needed.

    Attributes:
        name: what it is called in the settings.
        load: its sessions, one on each device that encodes.
        identity: what its embeddings are kept under, a sha256 (hex); encoders that make the same share one.
        limits: how far masks of its embeddings may be from the stock one's.
    """

    name: str
    load: Callable[[], Sequence[Session]]
    identity: str
    limits: Limits = EXACT

    @property
    def session(self) -> Session:
        """The first."""
        return self._sessions[0]

    @cached_property
    def encoders(self) -> Encoders:
        """All of them."""
        return Encoders(self._sessions, _BATCH if self.session.provider == CUDA else 1)

    @cached_property
    def _sessions(self) -> Sequence[Session]:
        return self.load()


def on_each(load: Callable[[Gpu], Session], gpus: Sequence[Gpu]) -> list[Session]:
    """A graph on each GPU; once where the CPU runs it."""
    first = load(gpus[0])
    return [first, *map(load, gpus[1:])] if first.device != HOST else [first]
