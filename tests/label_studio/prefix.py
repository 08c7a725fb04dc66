"""A reverse proxy that puts a server below a path, as a sub-path deployment has it."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler

import httpx

from tests.loopback import Quiet, serving

PREFIX = "/label"
_LEFT_OUT = {"host", "connection", "content-length", "transfer-encoding", "content-encoding", "server", "date"}


@contextmanager
def behind_prefix(inner_url: str) -> Iterator[str]:
    """The URL below which `inner_url` is found."""
    client = httpx.Client(base_url=inner_url, trust_env=False, timeout=30)

    class Handler(Quiet, BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._forward(None)

        def do_POST(self) -> None:
            self._forward(self.rfile.read(int(self.headers.get("Content-Length", 0))))

        def _forward(self, body: bytes | None) -> None:
            if not self.path.startswith(f"{PREFIX}/"):
                self.send_error(404)
                return
            sent = {name: value for name, value in self.headers.items() if name.lower() not in _LEFT_OUT}
            answer = client.request(self.command, self.path.removeprefix(PREFIX), headers=sent, content=body)
            kept = [header for header in answer.headers.multi_items() if header[0].lower() not in _LEFT_OUT]
            self.answer(answer.status_code, answer.content, kept)

    with client, serving(Handler) as url:
        yield url + PREFIX
