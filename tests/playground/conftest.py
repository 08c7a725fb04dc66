"""A running server with the tiny model, and a page in Chromium that fails its test on any error or foreign request."""

import shutil
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from litestar import Litestar

from server.app import create_app
from server.runtime.model import SamModel
from server.settings import Settings
from tests.playground.playing import Playground
from tests.running import running

if TYPE_CHECKING:
    from playwright.sync_api import Browser

_NAMES = ("chromium", "chromium-browser", "google-chrome")
PREFIX = "/sam"  # everything must work below one


class Recorder:
    """The app, keeping the bodies of what is asked of /predict."""

    def __init__(self, app: Litestar) -> None:
        self.app, self.bodies = app, list[bytes]()
        self.url = ""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        pieces: list[bytes] = []

        async def listen() -> Any:
            message = await receive()
            pieces.append(message.get("body", b""))
            if not message.get("more_body") and scope["path"].endswith("/predict"):
                self.bodies.append(b"".join(pieces))
            return message

        await self.app(scope, listen if scope["type"] == "http" else receive, send)


@pytest.fixture(scope="session")
def server(tiny: SamModel) -> Iterator[Recorder]:
    """A server on the loopback."""
    app = Recorder(create_app(Settings(base_path=PREFIX, max_megapixels=12), tiny))
    with running(app) as port:
        app.url = f"http://127.0.0.1:{port}{PREFIX}"
        yield app


@pytest.fixture(scope="session")
def browser() -> Iterator["Browser"]:
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: make test-browser")
    chromium = next(filter(None, map(shutil.which, _NAMES)), None)
    if chromium is None:
        pytest.skip("no Chromium here: install Debian's package chromium, or Chrome")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=chromium, args=["--no-sandbox"])  # CI runs as root
        yield browser
        browser.close()


@pytest.fixture
def playground(browser: "Browser", server: Recorder) -> Iterator[Playground]:
    """The page, opened from the server's root."""
    yield from opened(browser, server, viewport={"width": 1280, "height": 800})


def opened(browser: "Browser", server: Recorder, **device: Any) -> Iterator[Playground]:
    """The page on a device, until the test ends: then it must have had nothing to complain of."""
    context = browser.new_context(**device)
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = context.new_page()
    complaints: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(server.url)
    yield Playground(page, server.bodies, complaints)
    context.close()
    assert complaints == []
    assert [url for url in asked if not url.startswith((server.url, "blob:"))] == []
