"""What a hostile task can name, through the whole server: refused in bounded time and memory, with the way out."""

import struct
import threading
import time
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from litestar import Litestar
from litestar.testing import TestClient

from server.app import create_app
from server.runtime.model import SamModel
from server.settings import Settings
from tests.conftest import png
from tests.studio import body, click
from tests.unit.images.conftest import LocalServer, Names, Reply, Seen

_GIB = 1 << 30
_SECONDS, _BYTES = 10, 64 << 20  # far more than a refusal takes, far less than what is sent


def redirected(server: LocalServer) -> str:
    return server.on("/a.png", Reply(status=302, headers={"Location": "http://169.254.169.254/latest/meta-data"}))


def gigabyte(server: LocalServer) -> str:
    return server.on("/a.png", lambda _: Reply(bytes(1 << 16) for _ in range(_GIB >> 16)))


def announced_gigabyte(server: LocalServer) -> str:
    return server.on("/a.png", Reply(b"", headers={"Content-Length": str(_GIB)}))


def gzip_bomb(server: LocalServer) -> str:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    packed = b"".join(packer.compress(bytes(1 << 20)) for _ in range(256)) + packer.flush()
    assert len(packed) < 1 << 20
    return server.on("/a.png", Reply(packed, headers={"Content-Encoding": "gzip"}))


def pixel_bomb(server: LocalServer) -> str:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 50_000, 50_000, 8, 2, 0, 0, 0))
    pixels = chunk(b"IDAT", zlib.compress(bytes(1 << 20)))
    return server.on("/a.png", Reply(b"\x89PNG\r\n\x1a\n" + header + pixels + chunk(b"IEND", b"")))


def one_byte_a_second(server: LocalServer) -> str:
    def drip() -> Iterator[bytes]:
        while not server.released.wait(1):
            yield b"x"

    return server.on("/a.png", lambda _: Reply(drip()))


def redirects_for_ever(server: LocalServer) -> str:
    return server.on("/a.png", Reply(status=302, headers={"Location": "/a.png"}))


def named(value: str) -> Callable[[LocalServer], str]:
    return lambda _: value


@pytest.mark.parametrize(
    ("hostile", "status", "rule", "setting"),
    [
        pytest.param(redirected, 422, "non-public", "SAMSERVE_ALLOW_HOSTS", id="redirect to metadata"),
        pytest.param(named("http://cdn.example/a.png"), 422, "10.0.0.7", "SAMSERVE_ALLOW_HOSTS", id="name in 10.x"),
        pytest.param(named("http://[::ffff:10.0.0.7]/"), 422, "10.0.0.7", "SAMSERVE_ALLOW_HOSTS", id="10.x in IPv6"),
        pytest.param(named("file:///etc/passwd"), 422, "/data/local-files/", "LOCAL_FILES_DOCUMENT_ROOT", id="file"),
        pytest.param(
            named("/data/local-files/?d=..%2f..%2fetc/passwd"),
            422,
            "leads out",
            "LOCAL_FILES_DOCUMENT_ROOT",
            id="..%2f",
        ),
        pytest.param(named("/data/local-files/?d=out"), 422, "leads out", "LOCAL_FILES_DOCUMENT_ROOT", id="symlink"),
        pytest.param(named("s3://private/a.png"), 422, "in a bucket", "SAMSERVE_BUCKETS", id="unlisted bucket"),
        pytest.param(gigabyte, 422, "larger than 1 MiB", "SAMSERVE_MAX_IMAGE_MIB", id="1 GiB"),
        pytest.param(announced_gigabyte, 422, "larger than 1 MiB", "SAMSERVE_MAX_IMAGE_MIB", id="1 GiB announced"),
        pytest.param(gzip_bomb, 422, "unpacked", "SAMSERVE_MAX_IMAGE_MIB", id="gzip bomb"),
        pytest.param(pixel_bomb, 422, "50000 x 50000", "SAMSERVE_MAX_MEGAPIXELS", id="pixel bomb"),
        pytest.param(one_byte_a_second, 502, "within 1 s", "SAMSERVE_FETCH_SECONDS", id="1 byte/s"),
        pytest.param(redirects_for_ever, 502, "redirects more than 5 times", "", id="redirect loop"),
    ],
)
def test_it_is_refused_and_the_message_names_the_rule_and_the_setting(
    client: TestClient[Litestar],
    server: LocalServer,
    names: Names,
    hostile: Callable[[LocalServer], str],
    status: int,
    rule: str,
    setting: str,
) -> None:
    names.addresses["cdn.example"] = ["10.0.0.7"]
    reference = hostile(server)
    started = time.monotonic()
    tracemalloc.start()
    try:
        answer = client.post("/predict", json=body(reference, [click(30, 20, 60, 40)]))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert answer.status_code == status
    assert rule in answer.json()["detail"]
    assert setting in answer.json()["detail"]
    assert peak < _BYTES
    assert time.monotonic() - started < _SECONDS


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "out").symlink_to("/etc/passwd")
    (tmp_path / "images" / "in.png").write_bytes(png(40, 60))
    return Settings(
        cache_dir=str(tmp_path / "cache"),
        allow_hosts=("127.0.0.1",),
        label_studio_local_files_document_root=str(tmp_path / "images"),
        max_image_mib=1,
        max_megapixels=20,
        fetch_seconds=1.0,
    )


def test_beside_them_a_good_image_is_served(client: TestClient[Litestar], server: LocalServer) -> None:
    for value in ("/data/local-files/?d=in.png", server.on("/b.png", Reply(png(40, 60)))):
        answer = client.post("/predict", json=body(value, [click(30, 20, 60, 40)]))
        assert answer.status_code == 200, answer.text


def test_the_setting_named_allows_it(settings: Settings, tiny: SamModel, server: LocalServer) -> None:
    forbidden = msgspec.structs.replace(settings, allow_hosts=())
    url = server.on("/a.png", Reply(png(40, 60)))
    for given, status in ((forbidden, 422), (settings, 200)):
        with TestClient(create_app(given, tiny)) as client:
            assert client.post("/predict", json=body(url, [click(30, 20, 60, 40)])).status_code == status


def test_the_login_of_a_projects_tasks_reaches_their_server(client: TestClient[Litestar], server: LocalServer) -> None:
    request = body(server.on("/a.png", Reply(png(40, 60))), [click(30, 20, 60, 40)])
    request["params"] |= {"login": "ann", "password": "pw"}
    assert client.post("/predict", json=request).status_code == 200
    assert server.sent("Authorization") == ["Basic YW5uOnB3"]


def test_the_login_of_a_projects_tasks_is_used_before_the_first_click_too(
    client: TestClient[Litestar], server: LocalServer
) -> None:
    fetched = threading.Event()

    def image(_: Seen) -> Reply:
        fetched.set()
        return Reply(png(40, 60))

    opened = body(server.on("/a.png", image), [])
    opened["params"] = {"login": "ann", "password": "pw", "context": None}
    assert client.post("/predict", json=opened).status_code == 200
    assert fetched.wait(10)
    assert server.sent("Authorization") == ["Basic YW5uOnB3"]
