"""Image bytes over http(s), within limits of size, time and redirects."""

import asyncio
import ssl
from collections.abc import Callable
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx

from server.errors import ImageUnavailable, is_passing
from server.images.body import read_body
from server.images.download import Download, Version
from server.images.guard import AddressPolicy, GuardedTransport
from server.images.reasons import reason
from server.images.refusals import refusal
from server.images.studio_files import is_file_of
from server.images.url import origin, redacted

_MAX_REDIRECTS = 5


class HttpImages:
    """Fetches images; `auth` signs requests for files of the Label Studio at `studio_url`.

    Its host and port are allowed whatever the policy says.
    """

    def __init__(
        self,
        policy: AddressPolicy,
        max_bytes: int,
        seconds: float,
        auth: httpx.Auth | None = None,
        studio_url: str = "",
    ) -> None:
        self._max_bytes, self._seconds = max_bytes, seconds
        self._auth, self._studio_url = auth, studio_url
        _, host, port = origin(studio_url)
        own = (host, port or 0) if studio_url else None
        self._client = httpx.AsyncClient(
            transport=GuardedTransport(policy, ssl.create_default_context(), own),
            timeout=seconds,
            trust_env=False,
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),  # a cookie of one task's server is no other's
            headers={"User-Agent": "samserve", "Accept": "image/*, */*;q=0.5", "Accept-Encoding": "identity"},
        )

    async def close(self) -> None:
        """Closes all connections."""
        await self._client.aclose()

    async def fetch(self, url: str, kept: Download | None = None) -> Download:
        """The body of `url`; `kept` itself when its server says that it has no other version.

        Raises:
            ImageUnavailable: no answer in time, or an error status.
            ImageRefused: the host is not allowed, or the body too large.
        """
        return await self._within_time(url, kept, self._is_file)

    async def call(self, url: str) -> bytes:
        """What Label Studio's API answers at `url`; signed whatever its path is, so it is none that a task names.

        Raises:
            ImageUnavailable: no answer in time, or an error status.
            ImageRefused: the answer is too large.
        """
        return (await self._within_time(url, None, self._is_own)).content

    async def _within_time(self, url: str, kept: Download | None, signs: Callable[[str], bool]) -> Download:
        try:
            async with asyncio.timeout(self._seconds):
                return await self._follow(url, kept, signs)
        except TimeoutError:
            raise ImageUnavailable(
                f"{redacted(url)} did not arrive within {self._seconds:g} s; "
                f"to wait longer, raise SAMSERVE_FETCH_SECONDS",
                may_pass=True,
            ) from None
        except (httpx.HTTPError, httpx.InvalidURL, ValueError, OverflowError) as error:  # the last two: a malformed URL
            may_pass = isinstance(error, httpx.NetworkError | httpx.TimeoutException | httpx.RemoteProtocolError)
            raise ImageUnavailable(f"{redacted(url)} cannot be fetched: {reason(error)}", may_pass=may_pass) from error

    def _is_own(self, url: str) -> bool:
        return origin(url) == origin(self._studio_url)

    def _is_file(self, url: str) -> bool:
        return is_file_of(self._studio_url, url)

    async def _follow(self, url: str, kept: Download | None, signs: Callable[[str], bool]) -> Download:
        """Redirects are followed here: signed until one leads to where the token is not for."""
        target, signed = httpx.URL(url), True
        for _ in range(_MAX_REDIRECTS + 1):
            signed = signed and signs(str(target))
            known = kept.version if kept and kept.version and kept.version.source == redacted(str(target)) else None
            conditions = known.conditions if known else {}
            async with self._client.stream(
                "GET", target, headers=conditions, auth=self._auth if signed else None
            ) as response:
                if kept and conditions and response.status_code == httpx.codes.NOT_MODIFIED:
                    return kept
                if not response.has_redirect_location:
                    return await self._download(response, signed=signed)
                target = target.join(response.headers["Location"])
        raise ImageUnavailable(f"{redacted(url)} redirects more than {_MAX_REDIRECTS} times")

    async def _download(self, response: httpx.Response, *, signed: bool) -> Download:
        if not response.is_success:
            raise ImageUnavailable(refusal(response, signed=signed), may_pass=is_passing(response.status_code))
        return Download(await read_body(response, self._max_bytes), _version(response))


def _version(response: httpx.Response) -> Version | None:
    headers = response.headers
    etag, modified = headers.get("ETag", ""), headers.get("Last-Modified", "")
    if not (etag or modified) or "no-store" in headers.get("Cache-Control", "").lower():
        return None
    if not (etag + modified).isascii():  # could not be sent back
        return None
    return Version(redacted(str(response.url)), etag, modified)
