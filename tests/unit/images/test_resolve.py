"""Which rule fetches what."""

import asyncio
from pathlib import Path

import pytest

from server.core.reference import ImageReference
from server.errors import ImageRefused, ImageUnreadable
from server.images.downloads import Downloads
from server.images.guard import AddressPolicy
from server.images.http import HttpImages
from server.images.locate import Locator
from server.images.objects import BucketImages
from server.images.resolve import ImageSources
from tests.unit.images.conftest import LocalServer, Reply


def locate(value: str, label_studio_url: str | None = "https://studio.example") -> str:
    async def once() -> str:
        sources = _sources(label_studio_url)
        try:
            return sources.locate(ImageReference(value, task="7"))
        finally:
            await sources.close()

    return asyncio.run(once())


def fetch(uri: str, max_bytes: int = 1000) -> bytes:
    async def once() -> bytes:
        sources = _sources(None, max_bytes)
        try:
            return await sources.fetch(uri)
        finally:
            await sources.close()

    return asyncio.run(once())


def _sources(label_studio_url: str | None, max_bytes: int = 1000) -> ImageSources:
    http = HttpImages(AddressPolicy.allowing(["127.0.0.1"]), max_bytes, seconds=5)
    buckets = BucketImages([], max_bytes, seconds=5)
    return ImageSources(Locator(label_studio_url or ""), http, buckets, None, Downloads(Path("unused"), 0), max_bytes)


@pytest.mark.parametrize(
    "value",
    [
        "http://cdn.example/a.png?x=1#y",
        "https://cdn.example/a.png",
        "HTTPS://cdn.example/a.png",
        "data:image/png;base64,aGk=",
        "DATA:image/png;base64,aGk=",
    ],
)
@pytest.mark.parametrize("label_studio_url", [None, "https://studio.example"])
def test_absolute_references_stay_as_they_are(value: str, label_studio_url: str | None) -> None:
    assert locate(value, label_studio_url) == value


@pytest.mark.parametrize(
    "value",
    [
        "/data/upload/1/ab-cat.png",
        "/data/local-files/?d=cats/1.png",
        "/storage-data/uploaded/?filepath=upload/1/cat.png",
        "/tasks/7/resolve/?fileuri=czM6Ly9idWNrZXQvY2F0LnBuZw==",
        "/tasks/7/presign/?fileuri=czM6Ly9idWNrZXQvY2F0LnBuZw==",
    ],
)
def test_paths_of_label_studio_are_put_behind_its_url(value: str) -> None:
    assert locate(value) == "https://studio.example" + value


def test_an_upload_without_its_leading_path_is_put_behind_data() -> None:
    for spelling in ("upload/1/ab-cat.png", "/upload/1/ab-cat.png"):
        assert locate(spelling) == "https://studio.example/data/upload/1/ab-cat.png"


def test_a_slash_after_label_studios_url_is_not_doubled() -> None:
    assert locate("/data/upload/a.png", "https://studio.example/") == "https://studio.example/data/upload/a.png"


def test_a_path_prefix_of_label_studio_is_kept() -> None:
    assert locate("/data/upload/a.png", "https://example/studio/") == "https://example/studio/data/upload/a.png"


def test_a_path_of_label_studio_without_its_url_is_refused_and_the_message_names_the_settings() -> None:
    with pytest.raises(ImageRefused) as caught:
        locate("/data/upload/1/cat.png", None)
    message = str(caught.value)
    assert "task 7" in message
    assert "/data/upload/1/cat.png" in message
    assert "LABEL_STUDIO_URL" in message
    assert "LABEL_STUDIO_API_KEY" in message


@pytest.mark.parametrize(
    "value",
    [
        "",
        "cat.png",
        "/etc/passwd",
        "file:///etc/passwd",
        "ftp://cdn.example/a.png",
        "redis://bucket/a.png",
        "//cdn.example/a.png",
        "/database/a.png",
        "javascript:alert(1)",
        " http://cdn.example/a.png",
    ],
)
def test_any_other_reference_is_refused_and_the_message_says_what_is_expected(value: str) -> None:
    with pytest.raises(ImageRefused) as caught:
        locate(value)
    message = str(caught.value)
    assert "task 7" in message
    assert repr(value) in message
    assert "/data/upload/" in message


def test_the_message_shows_only_the_start_of_a_long_reference() -> None:
    with pytest.raises(ImageRefused) as caught:
        locate("x" * 100_000)
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize("scheme", ["data", "DATA", "Data"])
def test_data_uris_are_decoded(scheme: str) -> None:
    assert fetch(f"{scheme}:image/png;base64,aGk=") == b"hi"


def test_data_uris_have_the_limit_of_downloads() -> None:
    with pytest.raises(ImageRefused):
        fetch("data:image/png;base64," + "aGkh" * 100, max_bytes=100)


def test_a_broken_data_uri_is_unreadable() -> None:
    with pytest.raises(ImageUnreadable):
        fetch("data:image/png;base64")


def test_urls_are_fetched(server: LocalServer) -> None:
    assert fetch(server.on("/cat.png", Reply(b"cat"))) == b"cat"
