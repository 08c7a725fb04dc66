"""The system's Chromium under Playwright, which would rather download one of its own."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, StorageState, expect, sync_playwright

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_PATIENCE = 60_000  # ms; a busy machine is no failure


@contextmanager
def launched_chromium() -> Iterator[Browser]:
    """A headless browser for the thread that asks."""
    path = next(filter(None, map(shutil.which, _NAMES)), None)
    assert path, f"none of {', '.join(_NAMES)} is installed (Debian: apt-get install chromium)"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


def open_window(browser: Browser, login: StorageState) -> Page:
    """A window of a user who is logged in, apart from all others."""
    expect.set_options(timeout=_PATIENCE)
    page = browser.new_context(storage_state=login, viewport={"width": 1600, "height": 1000}).new_page()
    page.set_default_timeout(_PATIENCE)
    return page


def photograph(page: Page, path: Path) -> None:
    """A picture of a window for the documentation."""
    shown = Image.open(BytesIO(page.screenshot())).convert("RGB")
    shown.resize((1280, 800), Image.Resampling.LANCZOS).save(path, quality=85, method=6)
    assert path.stat().st_size < 200_000
