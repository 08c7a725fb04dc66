"""Downloads that are kept, and asked about."""

import asyncio
import hashlib
import os
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from server.images.download import Download, Version
from server.images.downloads import Downloads
from server.images.guard import AddressPolicy
from server.images.http import HttpImages
from tests.unit.images.conftest import LocalServer, Reply, Seen

URI = "http://cdn.example/cat.png"
_NAMED = {"ETag": '"1"', "Last-Modified": "Tue, 24 Nov 2026 10:00:00 GMT"}


class Source:
    """Gives one download, unless what is kept has its version; keeps what it was given."""

    def __init__(self, content: bytes, etag: str = '"1"') -> None:
        self.now = Download(content, Version(URI, etag) if etag else None)
        self.asked_about: list[Download | None] = []

    async def __call__(self, kept: Download | None) -> Download:
        self.asked_about.append(kept)
        return kept if kept and kept.version == self.now.version else self.now


def fetch(downloads: Downloads, source: Source, uri: str = URI) -> bytes:
    return asyncio.run(downloads.fetch(uri, source))


def test_what_is_unchanged_comes_from_the_disk_also_after_a_restart(tmp_path: Path) -> None:
    assert fetch(Downloads(tmp_path / "new", 1000), Source(b"cat")) == b"cat"
    later = Source(b"not sent")
    assert fetch(Downloads(tmp_path / "new", 1000), later) == b"cat"
    assert later.asked_about == [Download(b"cat", Version(URI, '"1"'))]


def test_a_changed_image_replaces_the_kept_one(tmp_path: Path) -> None:
    downloads = Downloads(tmp_path, 1000)
    fetch(downloads, Source(b"cat", '"1"'))
    assert fetch(downloads, Source(b"dog", '"2"')) == b"dog"
    assert fetch(downloads, Source(b"", '"2"')) == b"dog"
    assert len(list(tmp_path.iterdir())) == 1


def test_each_uri_has_its_own(tmp_path: Path) -> None:
    downloads = Downloads(tmp_path, 1000)
    assert fetch(downloads, Source(b"cat"), "a") == b"cat"
    assert fetch(downloads, Source(b"dog"), "b") == b"dog"


def test_an_image_without_a_version_is_not_kept(tmp_path: Path) -> None:
    fetch(Downloads(tmp_path, 1000), Source(b"cat", ""))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("damage", [b"", b"\x92\xc4", b"{}"])
def test_a_damaged_file_is_downloaded_again(tmp_path: Path, damage: bytes) -> None:
    downloads = Downloads(tmp_path, 1000)
    fetch(downloads, Source(b"cat"))
    [file] = tmp_path.iterdir()
    file.write_bytes(damage)
    source = Source(b"cat")
    assert fetch(downloads, source) == b"cat"
    assert source.asked_about == [None]


def test_the_folder_is_bounded_and_the_least_recently_used_go_first(tmp_path: Path) -> None:
    fetch(Downloads(tmp_path, 1000), Source(b"cat"), "a")
    [first] = tmp_path.iterdir()
    bound = 7 * first.stat().st_size // 2
    downloads = Downloads(tmp_path, bound)
    for name in ("b", "c"):
        fetch(downloads, Source(b"cat"), name)
    for file in tmp_path.iterdir():
        os.utime(file, (1000, 1000))
    fetch(downloads, Source(b"cat"), "a")
    fetch(downloads, Source(b"cat"), "c")
    fetch(downloads, Source(b"dog"), "d")
    assert sum(file.stat().st_size for file in tmp_path.iterdir()) <= bound
    kept = {name: Source(b"new") for name in "acdb"}
    for name, source in kept.items():
        fetch(downloads, source, name)
    assert [name for name, source in kept.items() if source.asked_about[0]] == ["a", "c", "d"]


def test_an_image_larger_than_the_bound_is_not_kept(tmp_path: Path) -> None:
    assert fetch(Downloads(tmp_path, 0), Source(b"cat")) == b"cat"
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_costs_a_warning_only(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with capture_logs() as logs:
        assert fetch(Downloads(tmp_path / "file", 1000), Source(b"cat")) == b"cat"
    assert [entry["event"] for entry in logs] == ["download_not_kept"]


def test_a_file_that_cannot_be_put_in_place_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / hashlib.sha256(URI.encode()).hexdigest()).mkdir()
    with capture_logs() as logs:
        assert fetch(Downloads(tmp_path, 1000), Source(b"cat")) == b"cat"
    assert [entry["event"] for entry in logs] == ["download_not_kept"]
    assert len(list(tmp_path.iterdir())) == 1


def test_others_on_the_machine_cannot_read_what_is_kept(tmp_path: Path) -> None:
    fetch(Downloads(tmp_path / "new", 1000), Source(b"cat"))
    assert (tmp_path / "new").stat().st_mode & 0o077 == 0


def over_http(*urls: str) -> list[Download]:
    """Downloads of the urls one after another, each asked about with the one before."""

    async def one_after_another() -> list[Download]:
        images = HttpImages(AddressPolicy.allowing(["127.0.0.1"]), 1000, 5)
        found: list[Download] = []
        try:
            for url in urls:
                found.append(await images.fetch(url, found[-1] if found else None))
        finally:
            await images.close()
        return found

    return asyncio.run(one_after_another())


def only_if_new(request: Seen) -> Reply:
    known = request.headers.get("if-none-match") == _NAMED["ETag"]
    return Reply(status=304) if known else Reply(b"cat", headers=_NAMED)


def test_a_server_is_asked_for_any_other_version_than_the_kept_one(server: LocalServer) -> None:
    url = server.on("/cat.png", only_if_new)
    first, second = over_http(url, url)
    assert second is first
    assert server.sent("If-None-Match") == [None, '"1"']
    assert server.sent("If-Modified-Since") == [None, _NAMED["Last-Modified"]]


def test_behind_a_redirect_the_one_who_named_the_version_is_asked(
    server: LocalServer, other_server: LocalServer
) -> None:
    signed = iter("123")
    other_server.on("/cat.png", only_if_new)
    url = server.on(
        "/presign/", lambda _: Reply(status=303, headers={"Location": f"{other_server.url}/cat.png?sig={next(signed)}"})
    )
    first, second = over_http(url, url)
    assert second is first
    assert server.sent("If-None-Match") == [None, None]
    assert other_server.sent("If-None-Match") == [None, '"1"']


def test_another_server_is_not_asked_about_a_version_that_it_did_not_name(
    server: LocalServer, other_server: LocalServer
) -> None:
    over_http(server.on("/cat.png", only_if_new), other_server.on("/cat.png", only_if_new))
    assert other_server.sent("If-None-Match") == [None]


@pytest.mark.parametrize("headers", [{}, _NAMED | {"Cache-Control": "private, no-store"}, {"ETag": "\u00fc"}])
def test_a_download_that_cannot_be_asked_about_has_no_version(server: LocalServer, headers: dict[str, str]) -> None:
    assert over_http(server.on("/cat.png", Reply(b"cat", headers=headers)))[0].version is None
