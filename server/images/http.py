"""Image bytes over http(s), within limits of size, time and redirects."""

import asyncio
import ssl
from http.cookiejar import CookieJar, DefaultCookiePolicy
from urllib.parse import urlsplit

import httpx

from server.errors import ImageRefused, ImageUnavailable, is_passing
from server.images.guard import AddressPolicy, GuardedTransport

_MAX_REDIRECTS = 5


class HttpImages:
    """Fetches images; `auth` signs requests to `auth_origin` alone, which is allowed whatever the policy says."""

    def __init__(
        self,
        policy: AddressPolicy,
        max_bytes: int,
        seconds: float,
        auth: httpx.Auth | None = None,
        auth_origin: str | None = None,
    ) -> None:
        self._max_bytes, self._seconds = max_bytes, seconds
        self._auth, self._auth_origin = auth, auth_origin and origin(auth_origin)
        own = (self._auth_origin[1], self._auth_origin[2] or 0) if self._auth_origin else None
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

    async def fetch(self, url: str) -> bytes:
        """The body of `url`.

        Raises:
            ImageUnavailable: no answer in time, or an error status.
            ImageRefused: the host is not allowed, the body too large, or compressed.
        """
        try:
            async with asyncio.timeout(self._seconds):
                return await self._follow(url)
        except TimeoutError:
            raise ImageUnavailable(
                f"{redacted(url)} did not arrive within {self._seconds:g} s", may_pass=True
            ) from None
        except (httpx.HTTPError, httpx.InvalidURL, ValueError, OverflowError) as error:  # the last two: a malformed URL
            may_pass = isinstance(error, httpx.NetworkError | httpx.TimeoutException | httpx.RemoteProtocolError)
            raise ImageUnavailable(f"{redacted(url)} cannot be fetched: {_reason(error)}", may_pass=may_pass) from error

    async def _follow(self, url: str) -> bytes:
        """Redirects are followed here: signed as long as they stay at the origin that the token is for."""
        target, signed = httpx.URL(url), True
        for _ in range(_MAX_REDIRECTS + 1):
            signed = signed and origin(str(target)) == self._auth_origin
            async with self._client.stream("GET", target, auth=self._auth if signed else None) as response:
                if not response.has_redirect_location:
                    return await self._body(response, signed=signed)
                target = target.join(response.headers["Location"])
        raise ImageUnavailable(f"{redacted(url)} redirects more than {_MAX_REDIRECTS} times")

    async def _body(self, response: httpx.Response, *, signed: bool) -> bytes:
        if not response.is_success:
            raise ImageUnavailable(_refusal(response, signed=signed), may_pass=is_passing(response.status_code))
        url, coding = redacted(str(response.url)), response.headers.get("Content-Encoding", "identity")
        if coding.lower() not in ("", "identity"):
            raise ImageRefused(f"{url} is sent compressed ({coding}), although it was asked not to be")
        body = bytearray()
        async for chunk in response.aiter_raw():
            body += chunk
            if len(body) > self._max_bytes:
                raise ImageRefused(
                    f"{url} is larger than {self._max_bytes >> 20} MiB; to allow it, raise SAMSERVE_MAX_IMAGE_MIB"
                )
        return bytes(body)


def origin(url: str) -> tuple[str, str, int | None]:
    """(scheme, host, port) with the scheme's default port filled in: what two URLs of one server share.

    Raises:
        ValueError: the URL is malformed.
    """
    parts = urlsplit(url)
    return parts.scheme, (parts.hostname or "").lower(), parts.port or {"http": 80, "https": 443}.get(parts.scheme)


def redacted(url: str) -> str:
    """`url` without what may be secret in it: user, password, query, fragment."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "a malformed URL"
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _reason(error: Exception) -> str:
    if isinstance(error, httpx.LocalProtocolError):  # its text quotes headers, the token among them
        return "the request cannot be sent; is there a line break in LABEL_STUDIO_API_KEY?"
    return str(error) or type(error).__name__


def _refusal(response: httpx.Response, *, signed: bool) -> str:
    text = f"{response.status_code} {response.reason_phrase} from {redacted(str(response.url))}"
    if response.status_code not in (401, 403):
        return text
    if signed:
        return f"{text}: LABEL_STUDIO_API_KEY was not accepted; make a new token under Account & Settings"
    return f"{text}: if this is Label Studio, set LABEL_STUDIO_URL to exactly this host, and LABEL_STUDIO_API_KEY"
