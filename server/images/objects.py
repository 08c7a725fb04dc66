"""Images in buckets, read with this machine's own credentials."""

import asyncio
import re
from collections.abc import Iterable
from datetime import timedelta

import obstore
from obstore.exceptions import BaseError, NotModifiedError
from obstore.store import ObjectStore, from_url

from server.errors import BadSettings, ImageRefused, ImageUnavailable
from server.images.download import Download, Version

_SCHEMES = {"s3": "s3", "gs": "gs", "azure-blob": "az"}  # Label Studio's name -> the library's
_REASONS = {
    "PermissionDeniedError": "this machine's credentials may not read it",
    "UnauthenticatedError": "this machine's credentials were not accepted",
    "FileNotFoundError": "there is no such object",
}


class BucketImages:
    """Reads objects of `buckets`, such as s3://photos, and of no others.

    Credentials and endpoints come from where the clouds' own tools take them: AWS_..., GOOGLE_..., AZURE_...

    Raises:
        BadSettings: a bucket's URL is malformed, or its cloud is not configured.
    """

    def __init__(self, buckets: Iterable[str], max_bytes: int, seconds: float) -> None:
        self._max_bytes, self._seconds = max_bytes, seconds
        self._stores = {bucket: _store(bucket, seconds) for bucket in buckets}

    async def fetch(self, uri: str, bucket: str, kept: Download | None = None) -> Download:
        """The object at `uri`; `kept` itself when the bucket has no other version.

        Raises:
            ImageUnavailable: there is no such object, it may not be read, or does not come in time.
            ImageRefused: it is too large.
        """
        try:
            async with asyncio.timeout(self._seconds):
                return await self._get(uri, bucket, kept)
        except NotModifiedError:
            assert kept, "only a request about a kept version is answered so"  # noqa: S101
            return kept
        except TimeoutError:
            raise ImageUnavailable(
                f"{uri} did not arrive within {self._seconds:g} s; to wait longer, raise SAMSERVE_FETCH_SECONDS"
            ) from None
        except (BaseError, OSError, ValueError) as error:
            raise ImageUnavailable(f"{uri} cannot be read: {_reason(error)}") from error

    async def _get(self, uri: str, bucket: str, kept: Download | None) -> Download:
        etag = kept.version.etag if kept and kept.version else None
        key = uri.removeprefix(f"{bucket}/")
        found = await obstore.get_async(self._stores[bucket], key, options={"if_none_match": etag} if etag else {})
        if found.meta["size"] > self._max_bytes:
            raise ImageRefused(
                f"{uri} is larger than {self._max_bytes >> 20} MiB; to allow it, raise SAMSERVE_MAX_IMAGE_MIB"
            )
        new_etag = found.meta["e_tag"]
        return Download(bytes(await found.bytes_async()), Version(uri, new_etag) if new_etag else None)


def _reason(error: Exception) -> str:
    """Why, without the URL before it, which may be signed, and the storage's answer behind it, which quotes keys."""
    known = _REASONS.get(type(error).__name__)
    return known or re.split("[<{]", str(error).partition("\n")[0].rpartition(" - ")[2])[0][:100].rstrip(": ")


def _store(bucket: str, seconds: float) -> ObjectStore:
    scheme, _, name = bucket.partition("://")
    if not name or "/" in name or scheme not in _SCHEMES:
        raise BadSettings(f"SAMSERVE_BUCKETS: {bucket!r} is none of s3://NAME, gs://NAME, azure-blob://CONTAINER")
    patience = timedelta(seconds=seconds)
    try:
        return from_url(
            f"{_SCHEMES[scheme]}://{name}",
            client_options={"timeout": patience, "allow_http": True},  # if AWS_ENDPOINT_URL says so
            retry_config={"max_retries": 2, "retry_timeout": patience},
        )
    except BaseError as error:
        raise BadSettings(f"SAMSERVE_BUCKETS: {bucket} cannot be set up: {str(error).splitlines()[0]}") from error
