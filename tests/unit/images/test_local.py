"""Files on a mount, and the ways out of it."""

import asyncio
import os
from pathlib import Path

import pytest

from server.errors import BadSettings, ImageRefused, ImageUnavailable
from server.images.local import LocalFiles


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "images"
    (root / "cats").mkdir(parents=True)
    (root / "cats" / "a b+\u00fc.png").write_bytes(b"cat")
    (tmp_path / "secret").write_bytes(b"secret")
    (tmp_path / "images-too").mkdir()
    (tmp_path / "images-too" / "secret").write_bytes(b"secret")
    return root


def fetch(root: Path, query: str, max_bytes: int = 1000, seconds: float = 5) -> bytes | None:
    async def once() -> bytes | None:
        local = LocalFiles(root, max_bytes, seconds)
        try:
            return await local.fetch(f"http://studio.example/data/local-files/?{query}")
        finally:
            local.close()

    return asyncio.run(once())


@pytest.mark.parametrize(
    "query",
    [
        "d=cats/a%20b%2B%C3%BC.png",
        "d=cats%2Fa+b%2B%C3%BC.png",
        "d=/cats/a%20b%2B%C3%BC.png",
        "d=cats/../cats/./a%20b%2B%C3%BC.png",
        "d=none.png&d=cats/a%20b%2B%C3%BC.png",
    ],
)
def test_a_file_is_read_as_label_studio_would(root: Path, query: str) -> None:
    assert fetch(root, query) == b"cat"


def test_a_link_inside_the_root_is_followed(root: Path) -> None:
    (root / "link.png").symlink_to(root / "cats" / "a b+\u00fc.png")
    assert fetch(root, "d=link.png") == b"cat"


@pytest.mark.parametrize("name", ["none.png", "none/none.png", "cats/a%20b%2B%C3%BC.png/more", "..%252fsecret"])
def test_a_file_that_does_not_exist_is_none(root: Path, name: str) -> None:
    assert fetch(root, f"d={name}") is None


@pytest.mark.parametrize(
    "name",
    ["../secret", "..%2fsecret", "%2e%2e/secret", "cats/../../secret", "/../secret", "../images-too/secret", "a%00b"],
)
def test_a_path_that_leads_out_is_refused_and_the_message_names_the_setting(root: Path, name: str) -> None:
    with pytest.raises(ImageRefused, match="leads out of LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT"):
        fetch(root, f"d={name}")


@pytest.mark.parametrize("target", ["../secret", "/etc/passwd", ".."])
def test_a_link_that_leads_out_is_refused(root: Path, target: str) -> None:
    (root / "link").symlink_to(target)
    with pytest.raises(ImageRefused, match="leads out"):
        fetch(root, "d=link/secret" if target == ".." else "d=link")


@pytest.mark.parametrize("query", ["d=loop", "d=" + "a/" * 5000, "d=" + "a" * 5000])
def test_a_path_that_cannot_be_followed_is_refused_or_unavailable(root: Path, query: str) -> None:
    (root / "loop").symlink_to("loop")
    with pytest.raises((ImageRefused, ImageUnavailable)):
        fetch(root, query)


@pytest.mark.parametrize("query", ["", "d=", "d=cats", "x=1"])
def test_a_folder_is_refused(root: Path, query: str) -> None:
    with pytest.raises(ImageRefused, match="no file"):
        fetch(root, query)


def test_a_pipe_is_refused_and_not_waited_for(root: Path) -> None:
    os.mkfifo(root / "pipe")
    with pytest.raises(ImageRefused, match="no file"):
        fetch(root, "d=pipe")


def test_a_file_larger_than_the_limit_is_refused_and_the_message_names_the_setting(root: Path) -> None:
    (root / "large").write_bytes(bytes((1 << 20) + 1))
    with pytest.raises(ImageRefused, match=r"larger than 1 MiB.*SAMSERVE_MAX_IMAGE_MIB"):
        fetch(root, "d=large", max_bytes=1 << 20)


def test_a_file_that_is_not_read_in_time_is_unavailable_and_the_message_names_the_setting(root: Path) -> None:
    with pytest.raises(ImageUnavailable, match="SAMSERVE_FETCH_SECONDS"):
        fetch(root, "d=cats/a%20b%2B%C3%BC.png", seconds=1e-9)


@pytest.mark.parametrize("folder", ["/", "none", "secret"])
def test_a_root_that_is_no_folder_or_everything_stops_the_start(tmp_path: Path, root: Path, folder: str) -> None:
    with pytest.raises(BadSettings, match="LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT"):
        LocalFiles(tmp_path / folder, 1000, 5)
