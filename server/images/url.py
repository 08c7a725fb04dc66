"""Taking URLs apart: who serves them, and what of them may be shown."""

import re
from urllib.parse import quote, urlsplit

from server.core.reference import Login

_DATA_KIND = re.compile(r"data:[\w.+-]+/[\w.+-]+(?=[;,])", re.IGNORECASE)
_USER = re.compile(r"^([^/]*/+)?[^/]*@")


def origin(url: str) -> tuple[str, str, int | None]:
    """(scheme, host, port) with the scheme's default port filled in: what two URLs of one server share.

    Raises:
        ValueError: the URL is malformed.
    """
    parts = urlsplit(url)
    return parts.scheme, (parts.hostname or "").lower(), parts.port or {"http": 80, "https": 443}.get(parts.scheme)


def redacted(url: str) -> str:
    """A reference without what may be secret in it: user, password, query, fragment; of a data: URI its kind alone."""
    if url.lstrip()[:5].lower() == "data:":
        kind = _DATA_KIND.match(url.lstrip())
        return f"{kind[0] if kind else 'data:'}..."
    try:
        urlsplit(url)
    except ValueError:
        return "a malformed URL"
    return _USER.sub(r"\1", re.split("[?#]", url, maxsplit=1)[0])


def with_login(url: str, login: Login) -> str:
    """`url` with a user and password in it, unless it has some; redirects to another URL leave them behind."""
    scheme, _, rest = url.partition("://")
    if not scheme.isalpha() or not rest or "@" in rest.partition("/")[0]:
        return url
    return f"{scheme}://{quote(login.user, safe='')}:{quote(login.password, safe='')}@{rest}"
