"""How one tier of the cache has served."""

import msgspec


class TierCounts(msgspec.Struct, frozen=True, kw_only=True):
    """Counts since the start.

    Attributes:
        tier: gpu, memory or disk.
        hits, misses: look-ups, by whether the embedding was there.
        bytes: held; None where nobody counts them.
        dropped_writes: embeddings that were not written, as too many waited, or as a GPU's memory was full.
        failures: reads and writes that the file system refused.
        damaged: files that were not what had been written.
    """

    tier: str
    hits: int
    misses: int
    bytes: int | None = None
    dropped_writes: int = 0
    failures: int = 0
    damaged: int = 0
