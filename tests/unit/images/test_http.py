"""Downloads, and what goes wrong with them."""

import asyncio
import base64
import contextlib
import gzip
import tracemalloc
from collections.abc import AsyncGenerator, Iterator

import httpx
import pytest

from server.errors import ImageError, ImageRefused, ImageUnavailable
from server.images.guard import AddressPolicy
from server.images.http import HttpImages
from server.images.url import origin, redacted
from tests.loopback import free_port
from tests.unit.images.closing import bodies, closing
from tests.unit.images.conftest import LocalServer, Reply, Seen


class Stamp(httpx.Auth):
    """Signs, so that a server can tell."""

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        request.headers["Authorization"] = "Stamp s3cret"
        yield request


def fetch(*urls: str, max_bytes: int = 1000, seconds: float = 5, studio_url: str = "") -> bytes:
    """The body of the last of `urls`, all fetched by one client."""
    auth = Stamp() if studio_url else None
    allowed = AddressPolicy.allowing(["localhost", "127.0.0.1"])
    return bodies(HttpImages(allowed, max_bytes, seconds, auth, studio_url), *urls)[-1]


def failure(url: str, seconds: float = 5, studio_url: str = "") -> str:
    """The message with which `url` is unavailable."""
    with pytest.raises(ImageUnavailable) as caught:
        fetch(url, seconds=seconds, studio_url=studio_url)
    return str(caught.value)


def test_the_body_is_fetched(server: LocalServer) -> None:
    assert fetch(server.on("/cat.png", Reply(b"cat"))) == b"cat"


def test_the_query_is_sent(server: LocalServer) -> None:
    fetch(server.on("/cat.png", Reply(b"cat")) + "?signature=a%2Fb")
    assert server.seen[0].path == "/cat.png?signature=a%2Fb"


def test_redirects_are_followed(server: LocalServer) -> None:
    server.on("/b.png", Reply(b"cat"))
    assert fetch(server.on("/a.png", Reply(status=302, headers={"Location": "/b.png"}))) == b"cat"


def test_many_images_are_fetched_at_once(server: LocalServer) -> None:
    urls = [server.on(f"/{number}.png", Reply(str(number).encode())) for number in range(40)]

    async def together(images: HttpImages) -> list[bytes]:
        return [download.content for download in await asyncio.gather(*map(images.fetch, urls))]

    images = HttpImages(AddressPolicy.allowing(["127.0.0.1"]), 1000, 5)
    assert closing(images, together) == [str(number).encode() for number in range(40)]


@pytest.mark.parametrize("status", [400, 404, 410, 429, 500, 503])
def test_an_error_status_is_unavailable_and_named(server: LocalServer, status: int) -> None:
    url = server.on("/cat.png", Reply(b"<html>", status))
    assert f"{status} " in failure(url)
    assert url in failure(url)


def test_the_message_of_a_404_has_neither_query_nor_password(server: LocalServer) -> None:
    message = failure(f"http://ann:s3cret@127.0.0.1:{server.port}/gone.png?sig=s3cret#s3cret")
    assert "404" in message
    assert f"http://127.0.0.1:{server.port}/gone.png" in message
    assert "s3cret" not in message
    assert "ann" not in message


def test_a_refused_connection_is_unavailable() -> None:
    port = free_port()
    message = failure(f"http://ann:s3cret@127.0.0.1:{port}/cat.png?sig=s3cret")
    assert f"http://127.0.0.1:{port}/cat.png cannot be fetched" in message
    assert "s3cret" not in message


def test_a_server_that_does_not_answer_in_time_is_unavailable(server: LocalServer) -> None:
    def wait(_: Seen) -> Reply:
        server.released.wait(10)
        return Reply(b"late")

    message = failure(server.on("/cat.png", wait) + "?sig=s3cret", seconds=0.3)
    assert "did not arrive within 0.3 s" in message
    assert "s3cret" not in message


def test_a_body_that_drips_is_cut_off_by_the_time_for_the_whole(server: LocalServer) -> None:
    def drip() -> Iterator[bytes]:
        while not server.released.wait(0.05):
            yield b"x"

    url = server.on("/cat.png", lambda _: Reply(drip()))
    assert "did not arrive within 0.3 s" in failure(url, seconds=0.3)


def test_a_body_cut_short_is_unavailable(server: LocalServer) -> None:
    url = server.on("/cat.png", Reply(b"half", headers={"Content-Length": "8"}))
    assert f"{url} cannot be fetched" in failure(url)


@pytest.mark.parametrize("coding", ["gzip", "GZIP", "x-gzip"])
def test_gzip_is_not_asked_for_but_unpacked(server: LocalServer, coding: str) -> None:
    url = server.on("/cat.png", Reply(gzip.compress(b"cat"), headers={"Content-Encoding": coding}))
    assert fetch(url) == b"cat"
    assert server.sent("Accept-Encoding") == ["identity"]


@pytest.mark.parametrize("coding", ["br", "zstd", "deflate", "gzip, gzip"])
def test_any_other_compression_is_refused(server: LocalServer, coding: str) -> None:
    with pytest.raises(ImageRefused, match="compressed"):
        fetch(server.on("/cat.png", Reply(b"cat", headers={"Content-Encoding": coding})))


@pytest.mark.parametrize("body", [b"", b"not gzip", gzip.compress(b"cat", mtime=0)[:-10]])
def test_broken_gzip_is_unavailable(server: LocalServer, body: bytes) -> None:
    assert "cannot be unpacked" in failure(server.on("/cat.png", Reply(body, headers={"Content-Encoding": "gzip"})))


def test_a_body_of_exactly_the_limit_is_fetched(server: LocalServer) -> None:
    assert len(fetch(server.on("/cat.png", Reply(bytes(1000))), max_bytes=1000)) == 1000


def test_a_body_larger_than_the_limit_is_refused_and_the_message_names_the_setting(server: LocalServer) -> None:
    url = server.on("/cat.png", Reply(bytes((1 << 20) + 1)))
    with pytest.raises(ImageRefused, match=r"larger than 1 MiB.*SAMSERVE_MAX_IMAGE_MIB") as caught:
        fetch(url + "?sig=s3cret", max_bytes=1 << 20)
    assert url in str(caught.value)
    assert "s3cret" not in str(caught.value)


class Endless:
    """64 MiB in pieces, and how much of it was asked for."""

    def __init__(self) -> None:
        self.sent = 0

    def __iter__(self) -> Iterator[bytes]:
        for _ in range(1024):
            yield bytes(1 << 16)
            self.sent += 1 << 16


def test_a_large_body_of_unknown_length_is_refused_while_it_streams(server: LocalServer) -> None:
    body = Endless()
    with pytest.raises(ImageRefused):
        fetch(server.on("/cat.png", Reply(body)))
    assert body.sent < 32 << 20


def test_a_gzip_bomb_is_refused(server: LocalServer) -> None:
    packed = gzip.compress(bytes(16 << 20))
    url = server.on("/cat.png", Reply(packed, headers={"Content-Encoding": "gzip"}))
    with pytest.raises(ImageRefused, match=r"unpacked.*SAMSERVE_MAX_IMAGE_MIB"):
        fetch(url, max_bytes=len(packed) * 2)


def test_a_doubly_packed_bomb_is_never_unpacked_in_memory(server: LocalServer) -> None:
    packed = gzip.compress(gzip.compress(bytes(100 << 20), 1))
    url = server.on("/cat.png", Reply(packed, headers={"Content-Encoding": "gzip, gzip"}))
    tracemalloc.start()
    try:
        with pytest.raises(ImageError):
            fetch(url)
        assert tracemalloc.get_traced_memory()[1] < 64 << 20
    finally:
        tracemalloc.stop()


def test_the_body_of_a_redirect_counts_against_the_limit(server: LocalServer) -> None:
    body = Endless()
    server.on("/b.png", Reply(b"cat"))
    url = server.on("/a.png", Reply(body, 302, {"Location": "/b.png"}))
    with contextlib.suppress(ImageRefused):
        fetch(url)
    assert body.sent < 32 << 20


def test_a_redirect_loop_is_unavailable(server: LocalServer) -> None:
    server.on("/b.png", Reply(status=302, headers={"Location": "/a.png?sig=s3cret"}))
    url = server.on("/a.png", Reply(status=302, headers={"Location": "/b.png"}))
    message = failure(url + "?sig=s3cret")
    assert f"{url} redirects more than 5 times" in message
    assert "s3cret" not in message
    assert len(server.seen) == 6


@pytest.mark.parametrize("target", ["ftp://127.0.0.1/a.png", "file:///etc/passwd", "http://127.0.0.1:port/"])
def test_a_redirect_to_something_else_than_http_is_unavailable(server: LocalServer, target: str) -> None:
    failure(server.on("/a.png", Reply(status=302, headers={"Location": target})))


@pytest.mark.parametrize("status", [401, 403])
def test_an_unsigned_request_that_is_not_let_in_gets_a_hint_at_the_settings(server: LocalServer, status: int) -> None:
    message = failure(server.on("/cat.png", Reply(status=status)))
    assert str(status) in message
    assert "LABEL_STUDIO_URL" in message
    assert "LABEL_STUDIO_API_KEY" in message


@pytest.mark.parametrize("status", [401, 403])
def test_a_signed_request_that_is_not_let_in_gets_a_hint_at_the_token(server: LocalServer, status: int) -> None:
    message = failure(server.on("/storage-data/uploaded/", Reply(status=status)), studio_url=server.url)
    assert str(status) in message
    assert "LABEL_STUDIO_API_KEY was not accepted" in message
    assert "s3cret" not in message


def test_a_storage_that_refuses_after_a_redirect_is_not_blamed_on_the_token(
    server: LocalServer, other_server: LocalServer
) -> None:
    expired = other_server.on("/bucket/cat.png", Reply(status=403))
    url = server.on("/tasks/7/resolve/", Reply(status=302, headers={"Location": expired}))
    assert "LABEL_STUDIO_API_KEY was not accepted" not in failure(url, studio_url=server.url)


def test_requests_to_label_studio_are_signed(server: LocalServer) -> None:
    fetch(server.on("/some/path/data/upload/1/cat.png", Reply(b"cat")), studio_url=server.url + "/some/path/")
    assert server.sent("Authorization") == ["Stamp s3cret"]


@pytest.mark.parametrize(
    "path",
    [
        "/api/users",
        "/data/../api/users",
        "/data/upload/../../api/users",
        "/data/upload/%2e%2e/%2E%2E/api/users",
        "/data/upload/..%2f..%2fapi/users",
        "/data/upload/%252e%252e/%252e%252e/api/users",
        "/data/upload/..%5c..%5capi/users",
        "/data/uploads",
        "/tasks/7/",
        "/tasks/x/resolve/",
        "//data/upload/1/a.png",
    ],
)
def test_no_task_gets_another_path_of_label_studio_signed(server: LocalServer, path: str) -> None:
    for studio_url in (server.url, server.url + "/studio"):
        failure(studio_url + path, studio_url=studio_url)
    failure(server.url + "/data/upload/1/a.png", studio_url=server.url + "/studio")
    assert server.sent("Authorization") == [None, None, None]


def test_a_redirect_from_an_image_to_another_path_of_label_studio_is_not_signed(server: LocalServer) -> None:
    target = server.on("/api/users", Reply(b"cat"))
    fetch(server.on("/data/upload/1/a.png", Reply(status=302, headers={"Location": target})), studio_url=server.url)
    assert server.sent("Authorization") == ["Stamp s3cret", None]


def test_requests_to_another_port_are_not_signed(server: LocalServer, other_server: LocalServer) -> None:
    fetch(other_server.on("/data/upload/cat.png", Reply(b"cat")), studio_url=server.url)
    assert other_server.sent("Authorization") == [None]


def test_requests_to_another_name_of_the_same_server_are_not_signed(server: LocalServer) -> None:
    server.on("/data/upload/cat.png", Reply(b"cat"))
    fetch(f"http://localhost:{server.port}/data/upload/cat.png", studio_url=server.url)
    assert server.sent("Authorization") == [None]


@pytest.mark.parametrize("user", ["127.0.0.1", "127.0.0.1:80", "http%3A%2F%2F127.0.0.1"])
def test_label_studio_as_a_user_name_does_not_get_a_request_signed(server: LocalServer, user: str) -> None:
    server.on("/data/upload/cat.png", Reply(b"cat"))
    fetch(f"http://{user}@localhost:{server.port}/data/upload/cat.png", studio_url=server.url)
    assert "Stamp s3cret" not in server.sent("Authorization")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_the_signature_does_not_follow_a_redirect_to_another_port(
    server: LocalServer, other_server: LocalServer, status: int
) -> None:
    target = other_server.on("/bucket/cat.png", Reply(b"cat"))
    url = server.on("/data/upload/cat.png", Reply(status=status, headers={"Location": target}))
    assert fetch(url, studio_url=server.url) == b"cat"
    assert server.sent("Authorization") == ["Stamp s3cret"]
    assert other_server.sent("Authorization") == [None]


def test_the_signature_does_not_follow_a_redirect_to_another_name(server: LocalServer) -> None:
    server.on("/data/upload/b.png", Reply(b"cat"))
    target = f"http://localhost:{server.port}/data/upload/b.png"
    url = server.on("/data/upload/a.png", Reply(status=302, headers={"Location": target}))
    assert fetch(url, studio_url=server.url) == b"cat"
    assert server.sent("Authorization") == ["Stamp s3cret", None]


def test_a_redirect_from_elsewhere_to_label_studio_is_not_signed(
    server: LocalServer, other_server: LocalServer
) -> None:
    target = server.on("/data/upload/1/a.png", Reply(b"cat"))
    fetch(other_server.on("/a.png", Reply(status=302, headers={"Location": target})), studio_url=server.url)
    assert server.sent("Authorization") == [None]


def test_a_login_in_the_url_is_sent_to_its_server_alone(server: LocalServer, other_server: LocalServer) -> None:
    target = other_server.on("/cat.png", Reply(b"cat"))
    server.on("/b.png", Reply(status=302, headers={"Location": target}))
    server.on("/a.png", Reply(status=302, headers={"Location": "/b.png"}))
    assert fetch(f"http://ann%40example:p%3Aw@127.0.0.1:{server.port}/a.png") == b"cat"
    assert server.sent("Authorization") == ["Basic " + base64.b64encode(b"ann@example:p:w").decode()] * 2
    assert other_server.sent("Authorization") == [None]


def test_a_login_that_is_not_accepted_is_named_but_not_shown(server: LocalServer) -> None:
    server.on("/a.png", Reply(status=401))
    message = failure(f"http://ann:s3cret@127.0.0.1:{server.port}/a.png")
    assert "login and password of the project's task data" in message
    assert "s3cret" not in message


@pytest.mark.parametrize(
    ("path", "status", "hint"),
    [
        ("/data/local-files/", 403, "LOCAL_FILES_SERVING_ENABLED"),
        ("/data/local-files/", 404, "Local files storage"),
        ("/tasks/7/presign/", 404, "source storage"),
        ("/data/upload/1/a.png", 500, "no such upload"),
        ("/data/upload/1/a.png", 401, "LABEL_STUDIO_API_KEY was not accepted"),
    ],
)
def test_what_label_studio_means_is_said(server: LocalServer, path: str, status: int, hint: str) -> None:
    assert hint in failure(server.on(path, Reply(status=status)), studio_url=server.url)


def test_without_an_auth_nothing_is_signed(server: LocalServer) -> None:
    fetch(server.on("/cat.png", Reply(b"cat")))
    assert server.sent("Authorization") == [None]


def test_cookies_of_one_server_are_not_sent_to_another_on_the_same_host(
    server: LocalServer, other_server: LocalServer
) -> None:
    first = server.on("/a.png", Reply(b"a", headers={"Set-Cookie": "sessionid=s3cret; Path=/"}))
    fetch(first, other_server.on("/b.png", Reply(b"b")))
    assert other_server.sent("Cookie") == [None]


@pytest.mark.parametrize("url", ["http://127.0.0.1:port/", "http://127.0.0.1/\n", "https://", "http:cat.png"])
def test_a_url_that_httpx_does_not_take_is_unavailable(url: str) -> None:
    failure(url)


@pytest.mark.parametrize("url", ["http://[::1/", "http://[foo]/", "http://xn--a/", "http://127.0.0.1:99999/"])
def test_a_malformed_url_is_an_image_error(url: str) -> None:
    with pytest.raises(ImageError):
        fetch(url)


def test_an_origin_is_scheme_host_and_port() -> None:
    assert origin("http://Studio.example/a?b#c") == ("http", "studio.example", 80)
    assert origin("HTTPS://ann:pw@studio.example") == ("https", "studio.example", 443)
    assert origin("http://studio.example:80") == origin("http://STUDIO.example/")
    assert origin("http://studio.example:8080") != origin("http://studio.example")
    assert origin("http://studio.example") != origin("https://studio.example")
    assert origin("http://[::1]:8080/") == ("http", "::1", 8080)


def test_a_redacted_url_keeps_host_port_and_path_only() -> None:
    assert redacted("https://ann:s3@cret@cdn.example:8443/a/b.png?c=d#e") == "https://cdn.example:8443/a/b.png"
    assert redacted("http://[::1]:8080/a") == "http://[::1]:8080/a"
    assert redacted("/data/local-files/?d=a@b.png") == "/data/local-files/"
    assert redacted("/data/upload/1/me@home.png") == "/data/upload/1/me@home.png"
    assert redacted("ftp://ann:s3cret@cdn.example/a?b#c") == "ftp://cdn.example/a"
    assert redacted("ann:s3cret@cdn.example/a.png") == "cdn.example/a.png"


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("data:image/png;base64,c2VjcmV0", "data:image/png..."),
        ("DATA:image/svg+xml,c2VjcmV0", "DATA:image/svg+xml..."),
        (" data:c2VjcmV0", "data:..."),
        ("data:,c2VjcmV0", "data:..."),
    ],
)
def test_of_a_redacted_data_uri_its_kind_is_left(uri: str, shown: str) -> None:
    assert redacted(uri) == shown


def test_label_studios_own_port_is_allowed_and_no_other_on_its_host(
    server: LocalServer, other_server: LocalServer
) -> None:
    async def both(images: HttpImages) -> None:
        assert (await images.fetch(server.on("/cat.png", Reply(b"cat")))).content == b"cat"
        with pytest.raises(ImageRefused, match="SAMSERVE_ALLOW_HOSTS"):
            await images.fetch(other_server.on("/dog.png", Reply(b"dog")))

    closing(HttpImages(AddressPolicy.allowing([]), 1000, 5, Stamp(), server.url), both)


@pytest.mark.parametrize(
    ("status", "may_pass"), [(404, False), (403, False), (301, False), (429, True), (500, True), (503, True)]
)
def test_a_server_in_trouble_may_be_asked_again_and_one_that_refuses_may_not(
    server: LocalServer, status: int, may_pass: bool
) -> None:
    with pytest.raises(ImageUnavailable) as failed:
        fetch(server.on("/cat.png", Reply(b"", status)))
    assert failed.value.may_pass == may_pass


def test_a_server_that_is_not_there_may_be_asked_again() -> None:
    with pytest.raises(ImageUnavailable) as failed:
        fetch("http://127.0.0.1:1/cat.png")
    assert failed.value.may_pass
