"""Web servers on the loopback whose routes each test writes, and names that resolve as each test says."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests import loopback


@dataclass(frozen=True, slots=True)
class Seen:
    """A request as a server saw it; header names in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Reply:
    """What a server answers; a body in pieces is sent chunked, without a Content-Length."""

    body: bytes | Iterable[bytes] = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


Route = Callable[[Seen], Reply]


class LocalServer:
    """A web server: routes by path, and the requests seen so far."""

    url: str

    def __init__(self) -> None:
        self.routes: dict[str, Route] = {}
        self.seen: list[Seen] = []
        self.released = threading.Event()  # set at teardown: what a slow route waits for

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def on(self, path: str, answer: Reply | Route) -> str:
        """Answers `path` so; gives its URL."""
        self.routes[path] = (lambda _: answer) if isinstance(answer, Reply) else answer
        return self.url + path

    def answer(self, request: Seen) -> Reply:
        """The reply to a request, which is kept."""
        self.seen.append(request)
        route = self.routes.get(request.path.partition("?")[0])
        return route(request) if route else Reply(b"no such page", 404)

    def sent(self, name: str, method: str = "GET") -> list[str | None]:
        """One header of each request of a method, in order."""
        return [request.headers.get(name.lower()) for request in self.seen if request.method == method]


class _Server(ThreadingHTTPServer):
    daemon_threads = False  # so that closing waits for the handlers

    def __init__(self, *where: Any, tls: ssl.SSLContext | None) -> None:
        super().__init__(*where)
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_side=True)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is part of these tests."""


def _handler(respond: Callable[[Seen], Reply]) -> type[loopback.Quiet]:
    class Handler(loopback.Quiet, BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 5

        def do_GET(self) -> None:
            self._reply(b"")

        def do_POST(self) -> None:
            self._reply(self.rfile.read(int(self.headers.get("Content-Length", 0))))

        def _reply(self, body: bytes) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            reply = respond(Seen(self.command, self.path, headers, body))
            whole = isinstance(reply.body, bytes)
            framing = {"Content-Length": str(len(reply.body))} if isinstance(reply.body, bytes) else _CHUNKED
            self.send_response(reply.status)
            for name, value in (framing | dict(reply.headers) | {"Connection": "close"}).items():
                self.send_header(name, value)
            self.end_headers()
            for piece in [reply.body] if isinstance(reply.body, bytes) else reply.body:
                self.wfile.write(piece if whole else b"%x\r\n%s\r\n" % (len(piece), piece))
            if not whole:
                self.wfile.write(b"0\r\n\r\n")

    return Handler


_CHUNKED = {"Transfer-Encoding": "chunked"}


@contextmanager
def serving(tls: ssl.SSLContext | None = None) -> Iterator[LocalServer]:
    """A server, of https if given a context."""
    local = LocalServer()
    with loopback.serving(_handler(local.answer), partial(_Server, tls=tls)) as url:
        local.url = url.replace("http:", "https:") if tls else url
        try:
            yield local
        finally:
            local.released.set()


@pytest.fixture
def new_server() -> Iterator[Callable[[], LocalServer]]:
    with ExitStack() as stack:
        yield lambda: stack.enter_context(serving())


@pytest.fixture
def server(new_server: Callable[[], LocalServer]) -> LocalServer:
    return new_server()


@pytest.fixture
def other_server(new_server: Callable[[], LocalServer]) -> LocalServer:
    return new_server()


class Names:
    """Host names with made-up addresses, and every look-up so far."""

    def __init__(self) -> None:
        self.addresses: dict[str, list[str]] = {}
        self.looked_up: list[str] = []


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    made_up, real = Names(), socket.getaddrinfo

    def getaddrinfo(host: Any, port: Any, *args: Any, **kwargs: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else str(host)
        if name not in made_up.addresses:
            return real(host, port, *args, **kwargs)
        made_up.looked_up.append(name)
        return [
            (socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))
            for address in made_up.addresses[name]
        ]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return made_up
