"""Image bytes over http(s), within limits of size, time and redirects."""

import asyncio
import ssl
from urllib.parse import urlsplit

import httpx

from server.errors import ImageRefused, ImageUnavailable
from server.images.guard import AddressPolicy, GuardedTransport

_MAX_REDIRECTS = 5


class HttpImages:
    """Fetches images; `auth` signs requests to `auth_origin` alone."""

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
        self._client = httpx.AsyncClient(
            transport=GuardedTransport(policy, ssl.create_default_context()),
            follow_redirects=True,
            max_redirects=_MAX_REDIRECTS,
            timeout=seconds,
            trust_env=False,
            headers={"User-Agent": "samserve", "Accept": "image/*, */*;q=0.5"},
        )

    async def close(self) -> None:
        """Closes all connections."""
        await self._client.aclose()

    async def fetch(self, url: str) -> bytes:
        """The body of `url`.

        Raises:
            ImageUnavailable: no answer in time, or an error status.
            ImageRefused: the host is not allowed, or the body too large.
        """
        try:
            async with asyncio.timeout(self._seconds):
                return await self._get(url)
        except TimeoutError:
            raise ImageUnavailable(f"{redacted(url)} did not arrive within {self._seconds:g} s") from None
        except httpx.TooManyRedirects:
            raise ImageUnavailable(f"{redacted(url)} redirects more than {_MAX_REDIRECTS} times") from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise ImageUnavailable(f"{redacted(url)} cannot be fetched: {_reason(error)}") from error

    async def _get(self, url: str) -> bytes:
        auth = self._auth if origin(url) == self._auth_origin else None
        async with self._client.stream("GET", url, auth=auth) as response:
            if response.is_error:
                raise ImageUnavailable(_refusal(response, signed=auth is not None))
            body = bytearray()
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > self._max_bytes:
                    raise ImageRefused(
                        f"{redacted(url)} is larger than {self._max_bytes >> 20} MiB; to allow it, "
                        f"raise SAMSERVE_MAX_IMAGE_MIB"
                    )
            return bytes(body)


def origin(url: str) -> tuple[str, str, int | None]:
    """(scheme, host, port) with the scheme's default port filled in: what two URLs of one server share."""
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError:
        port = None
    return parts.scheme, (parts.hostname or "").lower(), port or {"http": 80, "https": 443}.get(parts.scheme)


def redacted(url: str) -> str:
    """`url` without what may be secret in it: user, password, query, fragment."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__


def _refusal(response: httpx.Response, *, signed: bool) -> str:
    text = f"{response.status_code} {response.reason_phrase} from {redacted(str(response.url))}"
    if response.status_code not in (401, 403):
        return text
    if signed:
        return f"{text}: LABEL_STUDIO_API_KEY was not accepted; make a new token under Account & Settings"
    return f"{text}: if this is Label Studio, set LABEL_STUDIO_URL to exactly this host, and LABEL_STUDIO_API_KEY"
