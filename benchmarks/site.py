"""The web site, on the loopback, from which backends fetch the benchmark's pictures."""

import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Site:
    """Its pages; it knows which were fetched."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._pages: dict[str, bytes] = {}
        self._fetched: dict[str, threading.Event] = {}

    def put(self, picture: bytes) -> str:
        """Puts a JPEG file up, and gives its URL."""
        url = f"{self._url}/{uuid.uuid4()}.jpg"
        self._pages[url], self._fetched[url] = picture, threading.Event()
        return url

    def fetch(self, path: str) -> bytes | None:
        """What is at a path."""
        page = self._pages.get(self._url + path)
        if page is not None:
            self._fetched[self._url + path].set()
        return page

    def is_fetched(self, url: str, within: float) -> bool:
        """Whether someone has asked for a page, or does so within some seconds."""
        return self._fetched[url].wait(within)


@contextmanager
def serving() -> Iterator[Site]:
    """A site that is up while this lasts."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            page = site.fetch(self.path)
            self.send_response(404 if page is None else 200)
            self.send_header("Content-Type", "image/jpeg")
            self.send_header("Content-Length", str(len(page or b"")))
            self.end_headers()
            self.wfile.write(page or b"")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name it has there
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        site = Site(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield site
        finally:
            server.shutdown()
            thread.join()
