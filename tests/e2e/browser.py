"""The system's Chromium under Playwright, which would rather download one of its own."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

WINDOW = {"width": 1600, "height": 1000}
_NAMES = ("chromium", "chromium-browser", "google-chrome")


@contextmanager
def launched_chromium() -> Iterator[Browser]:
    """A headless browser for the thread that asks."""
    path = next(filter(None, map(shutil.which, _NAMES)), None)
    assert path, f"none of {', '.join(_NAMES)} is installed (Debian: apt-get install chromium)"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()
