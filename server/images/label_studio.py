"""Signing requests to Label Studio: legacy tokens as they are, personal access tokens through a short-lived one."""

import asyncio
import base64
import time
from collections.abc import AsyncGenerator

import httpx
import msgspec

from server.errors import ImageUnavailable
from server.images.url import redacted

_REFRESH = "refresh"  # the token_type of a personal access token
_RENEW_BEFORE = 30.0  # seconds; an access token lives for 300


class _Claims(msgspec.Struct):
    token_type: str = ""
    exp: float = 0.0


class _Access(msgspec.Struct):
    access: str


class LabelStudioAuth(httpx.Auth):
    """Signs with `Token ...` for a legacy token, with `Bearer ...` for a personal access token.

    The bearer is short-lived; it is renewed before it expires, or once on a 401; by one request for all that wait.
    """

    def __init__(self, url: str, api_key: str) -> None:
        self._refresh_url = url.rstrip("/") + "/api/token/refresh"
        self._api_key = api_key
        self._is_refresh_token = _claims(api_key).token_type == _REFRESH
        self._access = ""
        self._renewing = asyncio.Lock()

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Signs `request`; fetches or renews the access token first where one is needed."""
        if not self._is_refresh_token:
            request.headers["Authorization"] = f"Token {self._api_key}"
            yield request
            return
        async with self._renewing:
            if _claims(self._access).exp < time.time() + _RENEW_BEFORE:
                await self._renew((yield self._renewal()))
        used = self._sign(request)
        response = yield request
        if response.status_code == httpx.codes.UNAUTHORIZED:
            async with self._renewing:
                if self._access == used:
                    await self._renew((yield self._renewal()))
            self._sign(request)
            yield request

    def _sign(self, request: httpx.Request) -> str:
        request.headers["Authorization"] = f"Bearer {self._access}"
        return self._access

    def _renewal(self) -> httpx.Request:
        return httpx.Request("POST", self._refresh_url, json={"refresh": self._api_key})

    async def _renew(self, response: httpx.Response) -> None:
        if not response.is_success:  # a redirect too: the token goes nowhere else
            url, status = redacted(self._refresh_url), response.status_code
            if status in (400, 401, 403):
                raise ImageUnavailable(
                    f"{status} from {url}: LABEL_STUDIO_API_KEY is a personal access token that Label Studio does not "
                    f"accept; it may have been revoked"
                )
            raise ImageUnavailable(f"{status} from {url}: no access token for LABEL_STUDIO_API_KEY")
        try:
            self._access = msgspec.json.decode(await response.aread(), type=_Access).access
        except msgspec.MsgspecError:
            raise ImageUnavailable(
                f"{redacted(self._refresh_url)} gave no access token: is LABEL_STUDIO_URL Label Studio?"
            ) from None


def _claims(token: str) -> _Claims:
    """The unverified claims of a JSON web token; empty ones when `token` is not one."""
    parts = token.split(".")
    if len(parts) != 3:
        return _Claims()
    try:
        return msgspec.json.decode(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)), type=_Claims)
    except (msgspec.MsgspecError, ValueError):  # not base64, not JSON, not ASCII
        return _Claims()
