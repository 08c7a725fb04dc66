"""Downloads kept on disk, so that an image whose server says it is unchanged is not downloaded again."""

import asyncio
import hashlib
import os
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
import structlog

from server.images.download import Download

_FULL = 0.9  # how much of the bound is left filled when room is made

log = structlog.get_logger("samserve.downloads")


class Downloads:
    """One file for each URI, replaced as a whole, least recently used first out; nothing is used without asking."""

    def __init__(self, folder: Path, max_bytes: int) -> None:
        self._folder, self._max_bytes = folder, max_bytes
        self._room = 0  # bytes that may be written before the folder is looked through again

    async def fetch(self, uri: str, download: Callable[[Download | None], Awaitable[Download]]) -> bytes:
        """The bytes at `uri`, by `download`, which is given what is kept of it and may find that it still holds."""
        kept = await asyncio.to_thread(self._read, uri)
        fresh = await download(kept)
        if fresh.version and fresh is not kept:
            await asyncio.to_thread(self._write, uri, fresh)
        return fresh.content

    def _read(self, uri: str) -> Download | None:
        path = self._path(uri)
        try:
            kept = msgspec.msgpack.decode(path.read_bytes(), type=Download)
            os.utime(path)
        except (OSError, msgspec.MsgspecError):
            return None
        return kept

    def _write(self, uri: str, fresh: Download) -> None:
        packed = msgspec.msgpack.encode(fresh)
        if len(packed) > self._max_bytes:
            return
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._room -= len(packed)
            if self._room < 0:
                self._make_room(len(packed))
            _replace(self._path(uri), packed)
        except OSError as error:
            log.warning("download_not_kept", folder=str(self._folder), reason=str(error.strerror))

    def _make_room(self, wanted: int) -> None:
        found = sorted(
            ((entry.stat(), entry.path) for entry in os.scandir(self._folder)), key=lambda it: it[0].st_mtime
        )
        filled = sum(state.st_size for state, _ in found)
        for state, path in found:
            if filled + wanted <= _FULL * self._max_bytes:
                break
            Path(path).unlink(missing_ok=True)
            filled -= state.st_size
        self._room = self._max_bytes - filled - wanted

    def _path(self, uri: str) -> Path:
        return self._folder / hashlib.sha256(uri.encode()).hexdigest()


def _replace(path: Path, content: bytes) -> None:
    """Writes the whole file, or leaves what is there."""
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        part = Path(file.name)
        try:
            file.write(content)
            file.flush()
            part.replace(path)
        except OSError:
            part.unlink(missing_ok=True)
            raise
