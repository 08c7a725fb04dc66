"""Which rule fetches what."""

from pathlib import Path

import pytest

from server.core.reference import ImageReference, Login
from server.errors import ImageError, ImageRefused, ImageUnavailable, ImageUnreadable
from server.images.downloads import Downloads
from server.images.guard import AddressPolicy
from server.images.http import HttpImages
from server.images.local import LocalFiles
from server.images.locate import Locator
from server.images.objects import BucketImages
from server.images.resolve import ImageSources
from tests.unit.images.closing import closing
from tests.unit.images.conftest import LocalServer, Reply


def fetch_with_login(value: str) -> bytes:
    """The bytes of an image of a project whose login is ann, s3cret."""
    return located_and_fetched(_sources(None), ImageReference(value, "7", Login("ann", "s3cret")))


def located_and_fetched(sources: ImageSources, reference: ImageReference) -> bytes:
    return closing(sources, lambda sources: sources.fetch(sources.locate(reference)))


def locate(value: str, label_studio_url: str | None = "https://studio.example") -> str:
    async def located(sources: ImageSources) -> str:
        return sources.locate(ImageReference(value, task="7"))

    return closing(_sources(label_studio_url), located)


def fetch(uri: str, max_bytes: int = 1000) -> bytes:
    return closing(_sources(None, max_bytes), lambda sources: sources.fetch(uri))


def _sources(label_studio_url: str | None, max_bytes: int = 1000, mount: Path | None = None) -> ImageSources:
    return ImageSources(
        Locator(label_studio_url or "", has_local_files=mount is not None),
        HttpImages(AddressPolicy.allowing(["127.0.0.1"]), max_bytes, seconds=5),
        BucketImages([], max_bytes, seconds=5),
        LocalFiles(mount, max_bytes, seconds=5) if mount else None,
        Downloads(Path("unused"), 0),
        max_bytes,
    )


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


@pytest.mark.parametrize(
    "value",
    [
        "http:cat.png",
        "http://",
        "http:///cat.png",
        "http://[::1/",
        "http://\uff45xample\uff0ecom:port/",
        "http://a b/",
        "https://127.0.0.1:9/a.png",
        "http:/x://cat.png",
    ],
)
def test_a_login_is_in_no_message(value: str) -> None:
    with pytest.raises(ImageError) as caught:
        fetch_with_login(value)
    assert "s3cret" not in str(caught.value)


def from_mount(mount: Path, value: str, label_studio_url: str | None) -> bytes:
    return located_and_fetched(_sources(label_studio_url, mount=mount), ImageReference(value, "7"))


@pytest.mark.parametrize("prefix", ["", "URL"])
def test_a_local_file_comes_from_the_mount_if_it_is_there(server: LocalServer, tmp_path: Path, prefix: str) -> None:
    (tmp_path / "cat.png").write_bytes(b"cat")
    value = prefix.replace("URL", server.url) + "/data/local-files/?d=cat.png"
    assert from_mount(tmp_path, value, server.url) == b"cat"
    assert server.seen == []


def test_a_local_file_comes_from_label_studio_if_it_is_not_on_the_mount(server: LocalServer, tmp_path: Path) -> None:
    server.on("/data/local-files/", Reply(b"cat"))
    assert from_mount(tmp_path, "/data/local-files/?d=cat.png", server.url) == b"cat"


def test_a_local_file_that_is_nowhere_is_unavailable_and_the_message_names_the_setting(tmp_path: Path) -> None:
    with pytest.raises(ImageUnavailable, match="LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT"):
        from_mount(tmp_path, "/data/local-files/?d=cat.png", None)


def test_a_local_file_outside_the_mount_is_not_asked_of_label_studio_either(
    server: LocalServer, tmp_path: Path
) -> None:
    with pytest.raises(ImageRefused):
        from_mount(tmp_path, "/data/local-files/?d=../cat.png", server.url)
    assert server.seen == []
