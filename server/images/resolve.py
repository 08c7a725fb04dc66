"""From the reference in a task to its bytes: which rule fetches what."""

import asyncio

from server.core.reference import ImageReference
from server.errors import ImageRefused
from server.images.data_uri import decode_data_uri
from server.images.http import HttpImages

_LABEL_STUDIO_PATHS = ("/data/", "/storage-data/", "/tasks/")


class ImageSources:
    """Every kind of reference that is understood."""

    def __init__(self, http: HttpImages, label_studio_url: str | None, max_bytes: int) -> None:
        self._http = http
        self._label_studio_url = label_studio_url.rstrip("/") if label_studio_url else None
        self._max_bytes = max_bytes

    def locate(self, reference: ImageReference) -> str:
        """The absolute URI of a reference; paths of Label Studio's are put behind its URL.

        Raises:
            ImageRefused: no rule fetches such a reference.
        """
        value = reference.value
        scheme = value.partition(":")[0].lower()
        if scheme in ("http", "https", "data"):
            return value
        path = f"/data/{value.lstrip('/')}" if value.startswith(("upload/", "/upload/")) else value
        if not path.startswith(_LABEL_STUDIO_PATHS):
            raise ImageRefused(
                f"task {reference.task}: its image {value[:200]!r} is not fetched: expected an http(s) URL, "
                f"a data: URI, or an upload of Label Studio's (/data/upload/...)"
            )
        if not self._label_studio_url:
            raise ImageRefused(
                f"task {reference.task}: its image {value[:200]!r} is kept by Label Studio: set LABEL_STUDIO_URL and "
                f"LABEL_STUDIO_API_KEY so that it can be fetched"
            )
        return self._label_studio_url + path

    async def fetch(self, uri: str) -> bytes:
        """The bytes at a located URI.

        Raises:
            ImageError: they cannot be had.
        """
        if uri[:5].lower() == "data:":
            return await asyncio.to_thread(decode_data_uri, uri, self._max_bytes)
        return await self._http.fetch(uri)

    async def close(self) -> None:
        """Closes all connections."""
        await self._http.close()
