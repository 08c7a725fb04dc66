"""The README's picture of the playground, with the real model: an astronaut, without the flag behind her."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.browser import photograph

pytestmark = pytest.mark.e2e

_ASTRONAUT = Path(__file__).parents[2] / "docs" / "pictures" / "astronaut.jpg"


def test_an_astronaut_is_selected_on_the_playground(
    browser: Browser, backend: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    folder: Path = request.config.getoption("pictures") or tmp_path
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.goto(f"{backend}/")
    assert page.url == f"{backend}/playground"
    page.locator("input[type=file]").set_input_files(_ASTRONAUT)
    expect(page.locator("#status")).to_contain_text("Ready")
    _click(page, 0.45, 0.80)
    _click(page, 0.42, 0.25)
    page.keyboard.down("Alt")
    _click(page, 0.07, 0.40)
    page.keyboard.up("Alt")
    assert float(page.inner_text("#score")) > 0.8
    photograph(page, folder / "playground.webp")
    page.close()


def _click(page: Page, x: float, y: float) -> None:
    """Clicks on a place of the picture, in shares of its width and height, and waits for the mask."""
    box = page.locator("#canvas").bounding_box()
    assert box
    with page.expect_response(lambda answer: answer.url.endswith("/predict")):
        page.mouse.click(box["x"] + x * box["width"], box["y"] + y * box["height"])
    expect(page.locator("#status")).to_contain_text("score")
