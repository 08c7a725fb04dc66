"""Taking URLs apart: who serves them, and what of them may be shown."""

from urllib.parse import quote, urlsplit

from server.core.reference import Login


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


def with_login(url: str, login: Login) -> str:
    """`url` with a user and password in it, unless it has some; redirects to another URL leave them behind."""
    scheme, _, rest = url.partition("://")
    if not scheme.isalpha() or not rest or "@" in rest.partition("/")[0]:
        return url
    return f"{scheme}://{quote(login.user, safe='')}:{quote(login.password, safe='')}@{rest}"
