"""HTTP Basic authentication of our own endpoints, as Label Studio sends it."""

import base64
import binascii
import hmac
from typing import Any

from litestar.connection import ASGIConnection
from litestar.exceptions import NotAuthorizedException
from litestar.handlers import BaseRouteHandler

OPEN = {"open": True}  # an endpoint's `opt`: Label Studio's webhooks carry no credentials


class BasicAuth:
    """A Litestar guard: refuses requests without the one user's name and password, except to OPEN endpoints."""

    def __init__(self, user: str, password: str) -> None:
        self._expected = f"{user}:{password}".encode()

    def __call__(self, connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
        """Raises:
        NotAuthorizedException: with the challenge that makes clients send credentials.
        """
        if handler.opt.get("open"):
            return
        given = _credentials(connection.headers.get("Authorization", ""))
        if not hmac.compare_digest(given, self._expected):
            raise NotAuthorizedException(
                "wrong or no user name and password; they are BASIC_AUTH_USER and BASIC_AUTH_PASS of this server, and "
                "go into the model's connection in Label Studio (Basic auth)",
                headers={"WWW-Authenticate": 'Basic realm="samserve", charset="UTF-8"'},
            )


def _credentials(header: str) -> bytes:
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return b""
    try:
        return base64.b64decode(encoded.strip(), validate=True)
    except binascii.Error:
        return b""
