"""Embeddings on disk: one file each, least recently used first out, bounded in bytes."""

import contextlib
import errno
import hashlib
import os
import time
import uuid
from collections.abc import Iterator
from operator import itemgetter
from pathlib import Path

import structlog

from server.cache.codec import DamagedEmbedding, decode, encode
from server.core.embedding import EmbeddingKey, ImageEmbedding

_WHOLE, _INCOMING = ".embedding", ".incoming"
_LEFTOVER_SECONDS = 3600.0  # a file that has been coming in for so long was left by a crash
_QUIET_SECONDS = 60.0  # between two complaints

log = structlog.get_logger("samserve.cache")


class DiskCache:
    """Files in one folder, for one reading and one writing thread, and for two processes; blocks.

    Nothing about the files is remembered: the file system knows their sizes and, as modification times, their last
    uses. The folder is looked over before the first write and then each time a twentieth of the bound was written.

    Attributes:
        failures: reads and writes that the file system refused; each was a miss, or is lost.
        damaged: files that were not what was written, and were deleted.
    """

    def __init__(self, folder: Path, max_bytes: int) -> None:
        self._folder, self._max_bytes = folder, max_bytes
        self._room = 0  # bytes that may be written before the folder must be looked over again
        self._disk_full = False  # so that what is here now is all that can be here
        self._quiet_until = 0.0
        self.failures = self.damaged = 0

    def get(self, key: EmbeddingKey) -> ImageEmbedding | None:
        """The embedding, now the most recently used; None when it is not here, or is damaged."""
        path = self._path(key)
        try:
            found, embedding = decode(path.read_bytes())
        except FileNotFoundError:
            return None
        except OSError as error:
            self._fail("embedding_not_read", error)
            return None
        except DamagedEmbedding as error:
            self.damaged += 1
            log.warning("embedding_damaged", file=str(path), reason=f"{error}; deleted, it will be made again")
            with contextlib.suppress(OSError):
                path.unlink()
            return None
        if found != key:
            return None
        with contextlib.suppress(OSError):
            os.utime(path)
        return embedding

    def has(self, key: EmbeddingKey) -> bool:
        """Whether the embedding is here, now the most recently used; whether it is whole, only reading it tells."""
        try:
            os.utime(self._path(key))
        except OSError:
            return False
        return True

    def put(self, key: EmbeddingKey, embedding: ImageEmbedding) -> bool:
        """Keeps the embedding, and tells whether it could; one that is larger than half the bound is not kept.

        On a full disk the next one gets room.
        """
        content = encode(key, embedding)
        if len(content) > self._max_bytes // 2:
            return False
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            if len(content) > self._room:
                self._make_room(len(content))
            self._write(self._path(key), content)
        except OSError as error:
            self._room, self._disk_full = 0, error.errno in (errno.ENOSPC, errno.EDQUOT)
            self._fail("embedding_not_written", error)
            return False
        return True

    def _path(self, key: EmbeddingKey) -> Path:
        name = hashlib.sha256("\n".join((key.image, key.encoder, key.preprocessing)).encode()).hexdigest()
        return self._folder / (name + _WHOLE)

    def _write(self, path: Path, content: bytes) -> None:
        incoming = self._folder / (uuid.uuid4().hex + _INCOMING)
        try:
            incoming.write_bytes(content)
            incoming.replace(path)
        finally:
            incoming.unlink(missing_ok=True)
        self._room -= len(content)

    def _make_room(self, nbytes: int) -> None:
        """Drops what was used least recently; of the room made, another process may fill half at the same time."""
        files = list(self._files())
        held = sum(size for _, size, _ in files)
        bound = held if self._disk_full else self._max_bytes
        room = max(bound // 10, 2 * nbytes)
        excess = held - (bound - room)
        if excess > 0:
            files.sort(key=itemgetter(0))  # whole tuples take twice as long, and no other thread runs meanwhile
        for _, size, path in files:
            if excess <= 0:
                break
            Path(path).unlink(missing_ok=True)
            excess -= size
        self._room, self._disk_full = room // 2, False

    def _files(self) -> Iterator[tuple[float, int, str]]:
        """(last use, bytes, path) of each embedding; a crash's leftovers are deleted."""
        oldest = time.time() - _LEFTOVER_SECONDS
        with os.scandir(self._folder) as entries:
            for entry in entries:
                with contextlib.suppress(FileNotFoundError):  # another process may delete files at the same time
                    status = entry.stat(follow_symlinks=False)
                    if entry.name.endswith(_WHOLE):
                        yield status.st_mtime, status.st_size, entry.path
                    elif entry.name.endswith(_INCOMING) and status.st_mtime < oldest:
                        Path(entry.path).unlink()

    def _fail(self, event: str, error: OSError) -> None:
        self.failures += 1
        if time.monotonic() < self._quiet_until:
            return
        self._quiet_until = time.monotonic() + _QUIET_SECONDS
        way_out = "samserve goes on without; make it writable, free some space or lower SAMSERVE_EMBEDDING_DISK_GIB"
        log.warning(event, folder=str(self._folder), reason=f"{error.strerror}; {way_out}", failures=self.failures)
