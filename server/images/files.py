"""Image files on this machine, for those who may read them anyway: never for a task that came over the network."""

import asyncio
import glob
from pathlib import Path

from server.core.image_formats import IMAGE_SUFFIXES
from server.core.reference import ImageReference
from server.errors import BadRequest, ImageRefused, ImageUnavailable


class FileImages:
    """An ImageSource whose references are paths."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes

    def locate(self, reference: ImageReference) -> str:
        """The absolute path."""
        return str(Path(reference.value).absolute())

    async def fetch(self, uri: str) -> bytes:
        """The bytes of the file at a path.

        Raises:
            ImageUnavailable: it cannot be read.
            ImageRefused: it is too large.
        """
        return await asyncio.to_thread(self._read, Path(uri))

    def _read(self, path: Path) -> bytes:
        try:
            if path.stat().st_size > self._max_bytes:
                raise ImageRefused(
                    f"larger than {self._max_bytes >> 20} MiB; to allow it, raise SAMSERVE_MAX_IMAGE_MIB"
                )
            return path.read_bytes()
        except OSError as error:
            raise ImageUnavailable(f"cannot be read: {error.strerror}") from None


def find_images(where: str) -> list[str]:
    """The paths of all images below a folder, or of all files that a glob pattern matches, in order.

    Raises:
        BadRequest: there are none.
    """
    if Path(where).is_dir():
        paths = [
            str(path) for path in Path(where).rglob("*") if path.suffix.lower() in IMAGE_SUFFIXES and path.is_file()
        ]
    else:
        paths = [path for path in glob.iglob(where, recursive=True) if Path(path).is_file()]  # noqa: PTH207 - "**", absolute
    if not paths:
        raise BadRequest(f"{where}: no image there ({', '.join(IMAGE_SUFFIXES)})")
    return sorted(paths)
