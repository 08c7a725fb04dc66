"""Clients that do not wait for their answer, over real sockets."""

import json
import socket
from collections.abc import Iterator

import httpx
import pytest
from structlog.testing import capture_logs

from server.app import create_app
from server.settings import Settings
from tests.conftest import Site
from tests.held import HeldModel
from tests.running import running
from tests.studio import body, click
from tests.waiting import eventually


@pytest.fixture
def port(settings: Settings, held: HeldModel) -> Iterator[int]:
    with running(create_app(settings, held)) as port:
        yield port
        held.go.set()


def post(port: int, site: Site, height: int) -> socket.socket:
    """A click on a picture of its own, whose answer nobody has read yet; returns once the picture was fetched."""
    url = site.picture(height)
    content = json.dumps(body(url, [click(30, 10, 60, height)])).encode()
    connection = socket.create_connection(("127.0.0.1", port), timeout=10)
    connection.sendall(b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(content) + content)
    assert eventually(lambda: f"/{height}.png" in [path for path, _ in site.requests])
    return connection


def test_the_image_of_a_client_that_hung_up_is_not_encoded(port: int, site: Site, held: HeldModel) -> None:
    held.go.clear()
    with post(port, site, 40) as first, capture_logs() as logs:
        assert eventually(lambda: held.begun == [40])
        post(port, site, 41).close()
        assert eventually(lambda: any(line.get("status") == 499 for line in logs))
        with post(port, site, 42) as last:
            held.go.set()
            for connection in (first, last):
                assert connection.recv(12) == b"HTTP/1.1 200"
    assert held.begun == [40, 42]


def test_an_image_is_encoded_for_those_who_wait_although_another_hung_up(
    port: int, site: Site, held: HeldModel
) -> None:
    held.go.clear()
    with post(port, site, 40), capture_logs() as logs:
        assert eventually(lambda: held.begun == [40])
        gone = post(port, site, 41)
        with post(port, site, 41) as stays:
            gone.close()
            assert eventually(lambda: any(line.get("status") == 499 for line in logs))
            held.go.set()
            assert stays.recv(12) == b"HTTP/1.1 200"
    assert held.begun == [40, 41]
    assert httpx.get(f"http://127.0.0.1:{port}/health").status_code == 200


@pytest.mark.parametrize("sent", ["", '{"tasks": ['])
def test_a_client_that_hangs_up_while_it_sends_is_no_fault_of_the_server(port: int, sent: str) -> None:
    with capture_logs() as logs:
        with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
            connection.sendall(b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n" + sent.encode())
        assert eventually(lambda: any(line["event"] == "refused" for line in logs))
    told = [(line["log_level"], line["status"]) for line in logs if line["event"] in ("refused", "bug")]
    assert told == [("info", 499)]
