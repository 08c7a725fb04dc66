"""Embeddings in memory: least recently used first out, bounded in bytes."""

from collections import OrderedDict

from server.core.embedding import EmbeddingKey, ImageEmbedding
from server.core.tier_counts import TierCounts


class MemoryCache:
    """An EmbeddingCache for one event loop. An embedding larger than the whole bound is not kept.

    Attributes:
        hits, misses: what `find` found, and did not find.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        self._entries: OrderedDict[EmbeddingKey, ImageEmbedding] = OrderedDict()
        self.hits = self.misses = 0

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return self._bytes

    async def find(self, key: EmbeddingKey) -> ImageEmbedding | None:
        """As `get`, for a server without further tiers; counted."""
        embedding = self.get(key)
        self.hits += embedding is not None
        self.misses += embedding is None
        return embedding

    async def has(self, key: EmbeddingKey) -> bool:
        """Whether the embedding is here; not counted."""
        return self.get(key) is not None

    def put_away(self, key: EmbeddingKey, embedding: ImageEmbedding) -> None:
        """As `put`, for a server without further tiers."""
        self.put(key, embedding)

    async def written(self) -> None:
        """Nothing waits to be put."""

    def tiers(self) -> list[TierCounts]:
        """How it has served."""
        return [TierCounts(tier="memory", hits=self.hits, misses=self.misses, bytes=self._bytes)]

    def get(self, key: EmbeddingKey) -> ImageEmbedding | None:
        """The embedding, now the most recently used; None when it is not here."""
        embedding = self._entries.get(key)
        if embedding is not None:
            self._entries.move_to_end(key)
        return embedding

    def put(self, key: EmbeddingKey, embedding: ImageEmbedding) -> None:
        """Keeps the embedding, and drops the least recently used ones until all fit."""
        replaced = self._entries.pop(key, None)
        self._bytes -= replaced.nbytes if replaced else 0
        if embedding.nbytes > self._max_bytes:
            return
        self._entries[key] = embedding
        self._bytes += embedding.nbytes
        while self._bytes > self._max_bytes:
            _, dropped = self._entries.popitem(last=False)
            self._bytes -= dropped.nbytes
