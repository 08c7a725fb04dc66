"""A server with a certificate of an authority of its own."""

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from server.errors import ImageUnavailable
from server.images.guard import AddressPolicy
from server.images.http import HttpImages
from tests.unit.images.closing import bodies
from tests.unit.images.conftest import LocalServer, Reply, serving


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def secure_server(authority: trustme.CA) -> Iterator[LocalServer]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    with serving(context) as local:
        yield local


def fetch(url: str) -> bytes:
    (body,) = bodies(HttpImages(AddressPolicy.allowing(["localhost", "127.0.0.1"]), 1000, 5), url)
    return body


def trust(authority: trustme.CA, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority.cert_pem.write_to_path(str(folder / "authority.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(folder / "authority.pem"))


def test_an_authority_in_ssl_cert_file_is_trusted(
    secure_server: LocalServer, authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trust(authority, tmp_path, monkeypatch)
    secure_server.on("/cat.png", Reply(b"cat"))
    assert fetch(f"https://localhost:{secure_server.port}/cat.png") == b"cat"


def test_an_unknown_authority_is_unavailable_and_the_message_says_how_to_trust_it(secure_server: LocalServer) -> None:
    with pytest.raises(ImageUnavailable, match="SSL_CERT_FILE"):
        fetch(f"https://localhost:{secure_server.port}/cat.png")
    assert secure_server.seen == []


def test_a_certificate_for_another_name_is_unavailable(
    secure_server: LocalServer, authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trust(authority, tmp_path, monkeypatch)
    with pytest.raises(ImageUnavailable, match=r"127\.0\.0\.1"):
        fetch(f"https://127.0.0.1:{secure_server.port}/cat.png")
    assert secure_server.seen == []
