"""Ways to encode: the stock graph, or one of samserve's own in its place."""

from dataclasses import dataclass

from server.runtime.parity import EXACT, Limits
from server.runtime.session import Session


@dataclass(frozen=True)
class Encoder:
    """A graph that makes embeddings.

    Attributes:
        name: what it is called in the settings.
        identity: what its embeddings are kept under, a sha256 (hex); encoders that make the same share one.
        limits: how far masks of its embeddings may be from the stock one's.
    """

    name: str
    session: Session
    identity: str
    limits: Limits = EXACT
