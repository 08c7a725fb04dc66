"""A web site with pictures, on the loopback."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler
from pathlib import Path

from tests import loopback


class Site:
    """Serves a folder's files to browsers, and to samserve unless that is refused."""

    def __init__(self, root: str) -> None:
        self.root = root
        self.refuses_samserve = False


@contextmanager
def serving(folder: Path) -> Iterator[Site]:
    """A site with the files of `folder`."""

    class Pages(loopback.Quiet, SimpleHTTPRequestHandler):
        def do_GET(self) -> None:
            if site.refuses_samserve and "Mozilla" not in self.headers.get("User-Agent", ""):
                return self.send_error(404)
            return super().do_GET()

        def end_headers(self) -> None:
            self.send_header("Access-Control-Allow-Origin", "*")  # the editor draws on no other picture
            super().end_headers()

        def translate_path(self, path: str) -> str:
            return str(folder / path.lstrip("/"))

    with loopback.serving(Pages) as url:
        site = Site(url)
        yield site
