"""Objects in buckets: S3 from a real server, the others as they look on the wire."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from server.core.reference import ImageReference
from server.errors import BadSettings, ImageRefused, ImageUnavailable
from server.images.download import Download
from server.images.downloads import Downloads
from server.images.guard import AddressPolicy
from server.images.http import HttpImages
from server.images.locate import Locator
from server.images.objects import BucketImages
from server.images.resolve import ImageSources
from tests.buckets import S3_ENVIRONMENT, put_object, s3_server
from tests.unit.images.closing import closing
from tests.unit.images.conftest import LocalServer, Reply, Seen


@pytest.fixture(scope="module")
def s3_endpoint() -> Iterator[str]:
    with s3_server() as endpoint:
        yield endpoint


@pytest.fixture
def s3(s3_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> str:
    for name, value in (S3_ENVIRONMENT | {"AWS_ENDPOINT_URL": s3_endpoint}).items():
        monkeypatch.setenv(name, value)
    return s3_endpoint


def fetch(uri: str, kept: Download | None = None, max_bytes: int = 1000, seconds: float = 5) -> Download:
    bucket = "/".join(uri.split("/")[:3])
    return asyncio.run(BucketImages([bucket], max_bytes, seconds).fetch(uri, bucket, kept))


@pytest.mark.parametrize("key", ["cat.png", "cats/a b.png", "\u00fc.png", "a+b.png", "a%20b.png", "a?b#c.png"])
def test_an_object_is_read_from_s3_whatever_its_key_is_spelt_with(s3: str, key: str) -> None:
    put_object(s3, "photos", key, key.encode())
    assert fetch(f"s3://photos/{key}").content == key.encode()


def test_an_object_that_is_the_same_is_not_read_again(s3: str) -> None:
    put_object(s3, "photos", "same.png", b"cat")
    first = fetch("s3://photos/same.png")
    assert fetch("s3://photos/same.png", first) is first


def test_an_object_that_was_replaced_is_read_again(s3: str) -> None:
    put_object(s3, "photos", "new.png", b"cat")
    first = fetch("s3://photos/new.png")
    put_object(s3, "photos", "new.png", b"dog")
    assert fetch("s3://photos/new.png", first).content == b"dog"


@pytest.mark.parametrize("uri", ["s3://photos/none.png", "s3://no-such-bucket/cat.png"])
def test_an_object_that_does_not_exist_is_unavailable(s3: str, uri: str) -> None:
    with pytest.raises(ImageUnavailable, match=f"{uri} cannot be read: there is no such object"):
        fetch(uri)


@pytest.mark.parametrize("uri", ["s3://photos/../secrets/cat.png", "s3://photos/a//b.png"])
def test_a_key_that_the_store_does_not_take_is_unavailable(s3: str, uri: str) -> None:
    with pytest.raises(ImageUnavailable):
        fetch(uri)


def test_an_object_larger_than_the_limit_is_refused_and_the_message_names_the_setting(s3: str) -> None:
    put_object(s3, "photos", "large.png", bytes((1 << 20) + 1))
    with pytest.raises(ImageRefused, match=r"larger than 1 MiB.*SAMSERVE_MAX_IMAGE_MIB"):
        fetch("s3://photos/large.png", max_bytes=1 << 20)


@pytest.mark.parametrize(
    ("status", "reason"), [(403, "may not read it"), (401, "were not accepted"), (400, "400 Bad Request")]
)
def test_a_refusal_says_what_is_wrong_and_no_more(
    server: LocalServer, monkeypatch: pytest.MonkeyPatch, status: int, reason: str
) -> None:
    for name, value in (S3_ENVIRONMENT | {"AWS_ENDPOINT_URL": server.url}).items():
        monkeypatch.setenv(name, value)
    server.on("/photos/cat.png", Reply(b"<Error><AWSAccessKeyId>AKIAsamserve</AWSAccessKeyId></Error>", status))
    with pytest.raises(ImageUnavailable, match=reason) as caught:
        fetch("s3://photos/cat.png")
    assert "AKIA" not in str(caught.value)


def test_a_bucket_that_does_not_answer_in_time_is_unavailable(
    server: LocalServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wait(_: Seen) -> Reply:
        server.released.wait(10)
        return Reply(b"late")

    for name, value in (S3_ENVIRONMENT | {"AWS_ENDPOINT_URL": server.url}).items():
        monkeypatch.setenv(name, value)
    server.on("/photos/cat.png", wait)
    with pytest.raises(ImageUnavailable):
        fetch("s3://photos/cat.png", seconds=0.3)


_HEADERS = {"ETag": '"1"', "Last-Modified": "Tue, 24 Nov 2026 10:00:00 GMT"}


def test_an_object_is_read_from_google_cloud_storage(server: LocalServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_BASE_URL", server.url)
    monkeypatch.setenv("GOOGLE_SKIP_SIGNATURE", "true")
    server.on("/photos/cat%2Epng", Reply(b"cat", headers=_HEADERS))
    assert fetch("gs://photos/cat.png").content == b"cat"


def test_an_object_is_read_from_azure_blob_storage(server: LocalServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", "cats")
    monkeypatch.setenv("AZURE_STORAGE_ENDPOINT", server.url)
    monkeypatch.setenv("AZURE_SKIP_SIGNATURE", "true")
    server.on("/photos/cat.png", Reply(b"cat", headers=_HEADERS))
    assert fetch("azure-blob://photos/cat.png").content == b"cat"


def test_an_object_of_a_listed_bucket_is_found_by_its_reference(s3: str, tmp_path: Path) -> None:
    put_object(s3, "photos", "cats/1.png", b"cat")

    async def twice(sources: ImageSources) -> list[bytes]:
        uri = sources.locate(ImageReference("s3://photos/cats/1.png", "7"))
        return [await sources.fetch(uri) for _ in range(2)]

    buckets, http = ("s3://photos",), HttpImages(AddressPolicy.allowing([]), 1000, 5)
    in_buckets = BucketImages(buckets, 1000, 5)
    sources = ImageSources(Locator("", buckets), http, in_buckets, None, Downloads(tmp_path, 1000), 1000)
    assert closing(sources, twice) == [b"cat", b"cat"]


@pytest.mark.parametrize("bucket", ["photos", "s3://", "s3://photos/cats", "ftp://photos", "azure-blob://photos"])
def test_a_bucket_that_cannot_be_set_up_stops_the_start(bucket: str) -> None:
    with pytest.raises(BadSettings, match="SAMSERVE_BUCKETS"):
        BucketImages([bucket], 1000, 5)
