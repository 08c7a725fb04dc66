"""From the reference in a task to its bytes: which source fetches what."""

import asyncio
from functools import partial

from server.core.reference import ImageReference
from server.errors import ImageUnavailable
from server.images.data_uri import decode_data_uri
from server.images.downloads import Downloads
from server.images.http import HttpImages
from server.images.local import LocalFiles
from server.images.locate import Locator
from server.images.objects import BucketImages


class ImageSources:
    """Every kind of reference that is understood."""

    def __init__(
        self,
        locator: Locator,
        http: HttpImages,
        buckets: BucketImages,
        local: LocalFiles | None,
        downloads: Downloads,
        max_bytes: int,
    ) -> None:
        self._locator, self._http, self._buckets = locator, http, buckets
        self._local, self._downloads, self._max_bytes = local, downloads, max_bytes

    def locate(self, reference: ImageReference) -> str:
        """The absolute URI of a reference.

        Raises:
            ImageRefused: no rule fetches such a reference.
        """
        return self._locator.locate(reference)

    async def fetch(self, uri: str) -> bytes:
        """The bytes at a located URI.

        Raises:
            ImageError: they cannot be had.
        """
        if uri[:5].lower() == "data:":
            return await asyncio.to_thread(decode_data_uri, uri, self._max_bytes)
        if bucket := self._locator.bucket_of(uri):
            return await self._downloads.fetch(uri, partial(self._buckets.fetch, uri, bucket))
        if self._local and self._locator.is_local_file(uri):
            content = await self._local.fetch(uri)
            if content is not None:
                return content
            if uri.startswith("/"):
                raise ImageUnavailable(f"{uri[:200]!r} is not below LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT")
        return await self._downloads.fetch(uri, partial(self._http.fetch, uri))

    async def close(self) -> None:
        """Closes all connections."""
        if self._local:
            self._local.close()
        await self._http.close()
