"""Label Studio's local files, read from the folder that both machines mount."""

import asyncio
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from server.errors import BadSettings, ImageRefused, ImageUnavailable

_SETTING = "LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT"
_READS_AT_ONCE = 4  # a mount that hangs holds up these threads and no others


class LocalFiles:
    """Reads files below `root`, and no others."""

    def __init__(self, root: Path, max_bytes: int, seconds: float) -> None:
        self._root, self._max_bytes, self._seconds = root.resolve(), max_bytes, seconds
        if not self._root.is_dir() or self._root == self._root.parent:
            raise BadSettings(f"{_SETTING}: {root} is not a folder that images could be kept in")
        self._readers = ThreadPoolExecutor(_READS_AT_ONCE, "mount")

    def close(self) -> None:
        """Lets go of the threads."""
        self._readers.shutdown(wait=False, cancel_futures=True)

    async def fetch(self, uri: str) -> bytes | None:
        """The file that the query's `d` names; None when there is none.

        Raises:
            ImageRefused: it is outside the root, no regular file, or too large.
            ImageUnavailable: it may not be read, or not in time.
        """
        name = parse_qs(urlsplit(uri).query).get("d", [""])[-1]  # decoded once, the last wins: as Label Studio does
        try:
            async with asyncio.timeout(self._seconds):
                return await asyncio.get_running_loop().run_in_executor(self._readers, self._read, name)
        except TimeoutError:
            raise ImageUnavailable(
                f"the local file {name[:200]!r} was not read within {self._seconds:g} s; to wait longer, raise "
                f"SAMSERVE_FETCH_SECONDS"
            ) from None
        except OSError as error:
            raise ImageUnavailable(f"the local file {name[:200]!r} cannot be read: {error.strerror}") from error

    def _read(self, name: str) -> bytes | None:
        path = self._inside(name)
        try:
            found = path.stat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        if not stat.S_ISREG(found.st_mode):
            raise ImageRefused(f"the local file {name!r} is no file but a folder or a device")
        if found.st_size > self._max_bytes:
            raise ImageRefused(
                f"the local file {name!r} is larger than {self._max_bytes >> 20} MiB; "
                f"to allow it, raise SAMSERVE_MAX_IMAGE_MIB"
            )
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:
            return file.read(self._max_bytes)

    def _inside(self, name: str) -> Path:
        try:
            path = (self._root / name.lstrip("/")).resolve()
        except (ValueError, RuntimeError, OSError):  # a zero byte, links in a circle, too long
            path = self._root.parent
        if not path.is_relative_to(self._root):
            raise ImageRefused(
                f"the local file {name[:200]!r} leads out of {_SETTING}; "
                f"to allow it, set that to a folder that holds it"
            )
        return path
