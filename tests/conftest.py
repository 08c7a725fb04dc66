"""What most tests need: a tiny real model, an image server on the loopback, the app in front of both."""

import io
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import numpy as np
import pytest
from litestar import Litestar
from litestar.testing import TestClient
from PIL import Image

from server.app import create_app
from server.runtime.model import SamModel
from server.settings import Settings
from tests.graphs import tiny_model
from tests.loopback import Quiet, serving
from tests.studio import LEGACY_TOKEN, Studio

collect_ignore = ["e2e", "exporters"]  # run in environments of their own, without this file: make e2e, make test


class Site:
    """A web site: path -> (status, content type, body); also Label Studio's API. Keeps what it was asked."""

    def __init__(self, url: str) -> None:
        self.url, self.studio = url, Studio()
        self.pages: dict[str, tuple[int, str, bytes]] = {}
        self.requests: list[tuple[str, str | None]] = []

    def put(self, path: str, body: bytes, content_type: str = "image/png", status: int = 200) -> str:
        """Puts a page up and gives its URL."""
        self.pages[path] = (status, content_type, body)
        return self.url + path

    def picture(self, height: int) -> str:
        """The URL of a picture that is known by its height."""
        return self.put(f"/{height}.png", png(height, 60, seed=height))

    def answer(self, path: str) -> tuple[int, str, bytes]:
        """Status, content type and body for GET `path`."""
        if path.startswith("/api/tasks/?"):
            return self.studio.answer(path)
        return self.pages.get(path, (404, "text/plain", b"no such page"))


@pytest.fixture
def site() -> Iterator[Site]:
    class Pages(Quiet, BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            own.requests.append((self.path, self.headers.get("Authorization")))
            status, content_type, body = own.answer(self.path)
            self.answer(status, body, [("Content-Type", content_type)])

    with serving(Pages) as url:
        own = Site(url)
        yield own


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> SamModel:
    folder = tmp_path_factory.mktemp("tiny")
    return SamModel(tiny_model(folder), folder, threads=1)


@pytest.fixture
def settings(site: Site, tmp_path: Path) -> Settings:
    return Settings(
        cache_dir=str(tmp_path / "cache"),
        allow_hosts=("127.0.0.1",),
        label_studio_url=site.url,
        label_studio_api_key=LEGACY_TOKEN,
        fetch_seconds=5.0,
        max_megapixels=20,
        look_ahead=0,
    )


@pytest.fixture
def app(settings: Settings, tiny: SamModel) -> Litestar:
    return create_app(settings, tiny)


@pytest.fixture
def client(app: Litestar) -> Iterator[TestClient[Litestar]]:
    with TestClient(app) as client:
        yield client


def png(height: int, width: int, seed: int = 0) -> bytes:
    """A picture like no other seed's, as PNG."""
    rng = np.random.default_rng(seed)
    coarse = Image.fromarray(rng.integers(0, 256, (4, 4, 3), np.uint8))
    buffer = io.BytesIO()
    coarse.resize((width, height), Image.Resampling.BICUBIC).save(buffer, "PNG")
    return buffer.getvalue()


def recorded(name: str) -> Path:
    """A recording of what Label Studio 1.23.2 sent."""
    return Path(__file__).parent / "recorded" / f"{name}.json"
