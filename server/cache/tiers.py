"""Embeddings in memory, and behind it on disk."""

import asyncio
from concurrent.futures import Executor
from functools import partial

from server.cache.disk import DiskCache
from server.cache.memory import MemoryCache
from server.core.embedding import EmbeddingKey, ImageEmbedding
from server.core.tier_counts import TierCounts

_WAITING_WRITES = 64  # embeddings of some 4 MiB each; a disk that is slower than the encoder loses the rest


class Tiered:
    """An EmbeddingCache for one event loop, which neither reads nor writes of the disk hold up.

    Attributes:
        disk_hits, disk_misses: look-ups on disk, which are those that memory missed.
        dropped_writes: embeddings that are in memory only, as too many waited for the disk.
    """

    def __init__(self, memory: MemoryCache, disk: DiskCache, reader: Executor, writer: Executor) -> None:
        self._memory, self._disk, self._reader, self._writer = memory, disk, reader, writer
        self._waiting: dict[EmbeddingKey, ImageEmbedding] = {}
        self.disk_hits = self.disk_misses = self.dropped_writes = 0

    async def find(self, key: EmbeddingKey) -> ImageEmbedding | None:
        """The embedding from the nearest tier that has it, kept in memory then; None when none has."""
        embedding = await self._memory.find(key)
        if embedding:
            return embedding
        waiting = self._waiting.get(key)
        if waiting:
            self._memory.put(key, waiting)
            return waiting
        read = await asyncio.get_running_loop().run_in_executor(self._reader, self._disk.get, key)
        self.disk_hits += read is not None
        self.disk_misses += read is None
        meanwhile = self._memory.get(key) or self._waiting.get(key)  # from another read, or from the encoder
        found = meanwhile or read
        if found:
            self._memory.put(key, found)
        return found

    async def has(self, key: EmbeddingKey) -> bool:
        """Whether any tier has the embedding; it is not read, nor counted as a look-up."""
        if await self._memory.has(key) or key in self._waiting:
            return True
        return await asyncio.get_running_loop().run_in_executor(self._reader, self._disk.has, key)

    def put(self, key: EmbeddingKey, embedding: ImageEmbedding) -> None:
        """Keeps the embedding in memory now and on disk soon."""
        self._memory.put(key, embedding)
        self._write(key, embedding)

    def put_away(self, key: EmbeddingKey, embedding: ImageEmbedding) -> None:
        """Keeps the embedding on disk soon; in memory only once it is looked up, or where the disk does not take it."""
        written = self._write(key, embedding)
        if written:
            written.add_done_callback(partial(self._put_away, key, embedding))
        else:
            self._memory.put(key, embedding)

    async def written(self) -> None:
        """Returns once the disk was given all that was put so far."""
        await asyncio.get_running_loop().run_in_executor(self._writer, lambda: None)  # it works in order

    def _write(self, key: EmbeddingKey, embedding: ImageEmbedding) -> asyncio.Future[bool] | None:
        """Whether the disk took it, told later; None when too much waits for the disk."""
        if len(self._waiting) >= _WAITING_WRITES:
            self.dropped_writes += 1
            return None
        self._waiting[key] = embedding
        written = asyncio.get_running_loop().run_in_executor(self._writer, self._disk.put, key, embedding)
        written.add_done_callback(lambda _: self._waiting.pop(key, None))
        return written

    def _put_away(self, key: EmbeddingKey, embedding: ImageEmbedding, written: asyncio.Future[bool]) -> None:
        if not written.cancelled() and not written.exception() and not written.result():
            self._memory.put(key, embedding)

    def tiers(self) -> list[TierCounts]:
        """How memory and the disk have served."""
        disk = TierCounts(
            tier="disk",
            hits=self.disk_hits,
            misses=self.disk_misses,
            dropped_writes=self.dropped_writes,
            failures=self._disk.failures,
            damaged=self._disk.damaged,
        )
        return [*self._memory.tiers(), disk]
