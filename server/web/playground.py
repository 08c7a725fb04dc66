"""The playground: a page to click on a picture without Label Studio, through the same /predict."""

from pathlib import Path
from typing import Any

from litestar import Request, Response, get
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from litestar.response import Redirect

_FILES = Path(__file__).parent / "playground"
_MEDIA_TYPES = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}
_CONTENT = {file.name: file.read_bytes() for file in _FILES.iterdir()}  # small, and named by no request


def wants_page(request: Request[Any, Any, Any]) -> bool:
    """Whether a browser asks; Label Studio takes anything, and gets JSON."""
    return request.accept.best_match(["application/json", "text/html"]) == "text/html"


def to_playground(request: Request[Any, Any, Any]) -> Redirect:
    """To the playground from the server's root, relatively: a proxy may have taken a prefix off the path."""
    return Redirect(f"{_last_name(request)}playground", status_code=307)


@get("/playground")
async def playground(request: Request[Any, Any, Any]) -> Response[bytes] | Redirect:
    """The page. Its links are relative to the path without a slash at the end."""
    return Redirect("../playground") if _path(request).endswith("/") else _file("index.html")


@get("/playground/{name:str}")
async def playground_file(name: FromPath[str]) -> Response[bytes]:
    """A part of the page."""
    if name not in _CONTENT:
        raise NotFoundException(f"the playground has no file {name!r}")
    return _file(name)


def _file(name: str) -> Response[bytes]:
    return Response(_CONTENT[name], media_type=_MEDIA_TYPES[Path(name).suffix], headers=_HEADERS)


def _path(request: Request[Any, Any, Any]) -> str:
    return str(request.scope["raw_path"], "ascii")


def _last_name(request: Request[Any, Any, Any]) -> str:
    """What relative links drop: "sam/" of /sam, nothing of /sam/."""
    name = _path(request).rpartition("/")[2]
    return name and f"{name}/"
