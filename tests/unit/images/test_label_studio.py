"""Signing in to Label Studio."""

import asyncio
import base64
import json
import time
from collections.abc import Iterable

import pytest

from server.errors import ImageUnavailable, SamserveError
from server.images.guard import AddressPolicy
from server.images.http import HttpImages
from server.images.label_studio import LabelStudioAuth
from tests.unit.images.closing import bodies, closing
from tests.unit.images.conftest import LocalServer, Reply, Seen

CAT = "/data/upload/1/cat.png"
_LEGACY = "0123456789abcdef0123456789abcdef01234567"


def jwt(**claims: object) -> str:
    """An unsigned JSON web token."""

    def part(value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    return f"{part({'alg': 'none', 'typ': 'JWT'})}.{part(claims)}.s3cret"


_PERSONAL = jwt(token_type="refresh", exp=8_000_000_000, jti="p3rsonal", user_id=1)


def access(number: int, lives: float = 300) -> str:
    """An access token that lives for so many seconds more."""
    return jwt(token_type="access", exp=int(time.time() + lives), jti=f"access {number}")


def renews(server: LocalServer, replies: Iterable[Reply]) -> None:
    """Label Studio gives these for a personal access token, one after another."""
    coming = iter(replies)
    for path in ("/api/token/refresh", "/api/token/refresh/"):
        server.on(path, lambda _: next(coming))


def given(token: str) -> Reply:
    return Reply(json.dumps({"access": token}).encode(), headers={"Content-Type": "application/json"})


def fetch(server: LocalServer, *urls: str, api_key: str = _PERSONAL, url: str | None = None) -> list[bytes]:
    """The bodies of `urls`, fetched one after another by one client."""
    return bodies(client(url or server.url, api_key), *urls)


def client(studio_url: str, api_key: str = _PERSONAL, seconds: float = 5) -> HttpImages:
    auth = LabelStudioAuth(studio_url, api_key)
    return HttpImages(AddressPolicy.allowing(["127.0.0.1"]), 1000, seconds, auth, studio_url)


def renewals(server: LocalServer) -> list[Seen]:
    return [request for request in server.seen if request.method == "POST"]


@pytest.mark.parametrize("api_key", [_LEGACY, "a.b", "a.b.c", "a.!.c", jwt(token_type="access"), jwt(token_type=3)])
def test_a_legacy_token_is_sent_as_it_is(server: LocalServer, api_key: str) -> None:
    fetch(server, server.on(CAT, Reply(b"cat")), api_key=api_key)
    assert server.sent("Authorization") == [f"Token {api_key}"]
    assert renewals(server) == []


def test_a_personal_access_token_is_traded_for_a_bearer(server: LocalServer) -> None:
    bearer = access(1)
    renews(server, [given(bearer)])
    assert fetch(server, server.on(CAT, Reply(b"cat"))) == [b"cat"]
    [renewal] = renewals(server)
    assert renewal.path.rstrip("/") == "/api/token/refresh"
    assert renewal.headers["content-type"] == "application/json"
    assert json.loads(renewal.body) == {"refresh": _PERSONAL}
    assert server.sent("Authorization") == [f"Bearer {bearer}"]


def test_a_slash_after_label_studios_url_is_not_doubled(server: LocalServer) -> None:
    renews(server, [given(access(1))])
    assert fetch(server, server.on(CAT, Reply(b"cat")), url=server.url + "/") == [b"cat"]


def test_a_path_prefix_of_label_studio_is_kept(server: LocalServer) -> None:
    for path in ("/studio/api/token/refresh", "/studio/api/token/refresh/"):
        server.on(path, given(access(1)))
    assert fetch(server, server.on(f"/studio{CAT}", Reply(b"cat")), url=server.url + "/studio") == [b"cat"]


def test_a_bearer_is_used_again(server: LocalServer) -> None:
    bearer = access(1)
    renews(server, [given(bearer)])
    url = server.on(CAT, Reply(b"cat"))
    assert fetch(server, url, url, url) == [b"cat"] * 3
    assert len(renewals(server)) == 1
    assert server.sent("Authorization") == [f"Bearer {bearer}"] * 3


def test_a_bearer_about_to_expire_is_renewed_first(server: LocalServer) -> None:
    first, second = access(1, lives=10), access(2)
    renews(server, [given(first), given(second)])
    url = server.on(CAT, Reply(b"cat"))
    assert fetch(server, url, url, url) == [b"cat"] * 3
    assert len(renewals(server)) == 2
    assert server.sent("Authorization") == [f"Bearer {first}", f"Bearer {second}", f"Bearer {second}"]


def test_a_bearer_that_is_no_longer_accepted_is_renewed(server: LocalServer) -> None:
    first, second = access(1), access(2)
    renews(server, [given(first), given(second)])

    def only_the_second(request: Seen) -> Reply:
        return Reply(b"cat") if request.headers["authorization"] == f"Bearer {second}" else Reply(status=401)

    assert fetch(server, server.on(CAT, only_the_second)) == [b"cat"]
    assert server.sent("Authorization") == [f"Bearer {first}", f"Bearer {second}"]


def at_once(server: LocalServer, url: str, times: int) -> list[bytes]:
    """The bodies of one URL fetched so many times at once."""

    async def together(images: HttpImages) -> list[bytes]:
        return [download.content for download in await asyncio.gather(*[images.fetch(url) for _ in range(times)])]

    return closing(client(server.url), together)


def test_all_that_wait_for_a_bearer_share_one(server: LocalServer) -> None:
    renews(server, [given(access(1))])
    assert at_once(server, server.on(CAT, Reply(b"cat")), 40) == [b"cat"] * 40
    assert len(renewals(server)) == 1


def test_all_whose_bearer_is_no_longer_accepted_share_the_next(server: LocalServer) -> None:
    first, second = access(1), access(2)
    renews(server, [given(first), given(second)])

    def only_the_second(request: Seen) -> Reply:
        return Reply(b"cat") if request.headers["authorization"] == f"Bearer {second}" else Reply(status=401)

    assert at_once(server, server.on(CAT, only_the_second), 8) == [b"cat"] * 8
    assert len(renewals(server)) == 2


def test_a_renewal_that_fails_does_not_keep_the_next_from_trying(server: LocalServer) -> None:
    def hang_once(_: Seen) -> Reply:
        if len(renewals(server)) == 1:
            server.released.wait(10)
        return given(access(1))

    for path in ("/api/token/refresh", "/api/token/refresh/"):
        server.on(path, hang_once)
    url = server.on(CAT, Reply(b"cat"))

    async def twice(images: HttpImages) -> bytes:
        with pytest.raises(ImageUnavailable, match=r"0\.5 s"):
            await images.fetch(url)
        return (await images.fetch(url)).content

    assert closing(client(server.url, seconds=0.5), twice) == b"cat"


def test_a_bearer_is_renewed_only_once_on_a_401(server: LocalServer) -> None:
    renews(server, [given(access(number)) for number in range(10)])
    with pytest.raises(ImageUnavailable, match="LABEL_STUDIO_API_KEY was not accepted"):
        fetch(server, server.on(CAT, Reply(status=401)))
    assert len(renewals(server)) == 2
    assert len(server.sent("Authorization")) == 2


@pytest.mark.parametrize("status", [403, 404, 500])
def test_a_bearer_is_not_renewed_on_another_status(server: LocalServer, status: int) -> None:
    renews(server, [given(access(1))])
    with pytest.raises(ImageUnavailable, match=str(status)):
        fetch(server, server.on(CAT, Reply(status=status)))
    assert len(renewals(server)) == 1


@pytest.mark.parametrize("status", [400, 401, 403, 404])
def test_a_personal_access_token_that_is_not_accepted_is_unavailable(server: LocalServer, status: int) -> None:
    renews(server, [Reply(b'{"detail": "Token is blacklisted"}', status)])
    url = server.on(CAT, Reply(b"cat"))
    with pytest.raises(ImageUnavailable) as caught:
        fetch(server, url)
    message = str(caught.value)
    assert str(status) in message
    assert "LABEL_STUDIO_API_KEY" in message
    assert _PERSONAL not in message
    assert "s3cret" not in message
    assert server.sent("Authorization") == []


@pytest.mark.parametrize("body", [b"", b"<html>log in</html>", b"{}", b'{"access": 3}', b'["access"]', b"\xff"])
def test_an_answer_without_a_bearer_is_unavailable(server: LocalServer, body: bytes) -> None:
    renews(server, [Reply(body)])
    with pytest.raises(ImageUnavailable, match="is LABEL_STUDIO_URL Label Studio") as caught:
        fetch(server, server.on(CAT, Reply(b"cat")))
    assert "s3cret" not in str(caught.value)
    assert server.sent("Authorization") == []


def test_a_failed_renewal_is_tried_again_for_the_next_image(server: LocalServer) -> None:
    bearer = access(2)
    renews(server, [Reply(status=503), given(bearer)])
    url = server.on(CAT, Reply(b"cat"))

    async def twice(images: HttpImages) -> bytes:
        with pytest.raises(ImageUnavailable):
            await images.fetch(url)
        return (await images.fetch(url)).content

    assert closing(client(server.url), twice) == b"cat"
    assert server.sent("Authorization") == [f"Bearer {bearer}"]


def test_neither_token_reaches_a_storage_that_label_studio_redirects_to(
    server: LocalServer, other_server: LocalServer
) -> None:
    renews(server, [given(access(1))])
    target = other_server.on("/bucket/cat.png", Reply(b"cat"))
    url = server.on("/tasks/7/resolve/", Reply(status=303, headers={"Location": target}))
    assert fetch(server, url) == [b"cat"]
    assert other_server.sent("Authorization") == [None]


def test_no_bearer_is_asked_for_an_image_elsewhere(server: LocalServer, other_server: LocalServer) -> None:
    assert fetch(server, other_server.on("/cat.png", Reply(b"cat"))) == [b"cat"]
    assert server.seen == []
    assert other_server.sent("Authorization") == [None]


@pytest.mark.parametrize("status", [307, 308])
def test_the_personal_access_token_does_not_follow_a_redirect_elsewhere(
    server: LocalServer, other_server: LocalServer, status: int
) -> None:
    renews(server, [Reply(status=status, headers={"Location": other_server.on("/steal", given(access(1)))})])
    with pytest.raises(ImageUnavailable):
        fetch(server, server.on(CAT, Reply(b"cat")))
    assert renewals(other_server) == []


def test_a_token_with_a_line_break_is_not_in_the_message(server: LocalServer) -> None:
    said = ""
    try:
        fetch(server, server.on(CAT, Reply(b"cat")), api_key=f"{_LEGACY}\n")
    except SamserveError as error:
        said = str(error)
    assert _LEGACY not in said


def test_a_non_ascii_token_with_two_dots_is_no_json_web_token(server: LocalServer) -> None:
    LabelStudioAuth(server.url, "\u00e9.\u00e9.\u00e9")


def test_a_password_in_label_studios_url_is_not_in_the_message(server: LocalServer) -> None:
    renews(server, [Reply(status=401)])
    with pytest.raises(ImageUnavailable) as caught:
        fetch(server, server.on(CAT, Reply(b"cat")), url=f"http://ann:pa55@127.0.0.1:{server.port}")
    assert "pa55" not in str(caught.value)
