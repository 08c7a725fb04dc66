"""A reverse proxy that puts a server below a path, as a sub-path deployment has it."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler

import httpx

from tests.loopback import serving

PREFIX = "/label"
_LEFT_OUT = {"host", "connection", "content-length", "transfer-encoding", "content-encoding", "server", "date"}


@contextmanager
def behind_prefix(inner_url: str) -> Iterator[str]:
    """The URL below which `inner_url` is found."""
    client = httpx.Client(base_url=inner_url, trust_env=False, timeout=30)

    class Handler(BaseHTTPRequestHandler):
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
            self.send_response(answer.status_code)
            for name, value in answer.headers.multi_items():
                if name.lower() not in _LEFT_OUT:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with client, serving(Handler) as server:
        yield f"http://127.0.0.1:{server.server_port}{PREFIX}"
