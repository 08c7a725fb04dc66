"""Playing on the page as a person does."""

import base64
import io
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from server.core.prediction import Mask

if TYPE_CHECKING:
    from playwright.sync_api import Page

_BRING = """([way, name, type, content]) => {
    const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
    const brought = new DataTransfer();
    brought.items.add(new File([bytes], name, { type }));
    const how = { dataTransfer: brought, clipboardData: brought, bubbles: true, cancelable: true };
    document.body.dispatchEvent(way === "drop" ? new DragEvent("drop", how) : new ClipboardEvent("paste", how));
}"""


@dataclass
class Exchange:
    """A request of the page's and its answer."""

    body: dict[str, Any]
    answer: dict[str, Any]

    @property
    def drawn(self) -> list[dict[str, Any]]:
        """What was drawn."""
        items: list[dict[str, Any]] = self.body["params"]["context"]["result"]
        return items

    @property
    def region(self) -> dict[str, Any]:
        """The one region of the answer."""
        (region,) = self.answer["results"][0]["result"]
        return dict(region)


@dataclass
class Playground:
    """The page, the bodies that /predict has got, and what the console has said."""

    page: "Page"
    bodies: list[bytes]
    complaints: list[str]

    def bring(
        self, content: bytes, name: str = "picture.png", media_type: str = "image/png", way: str = "drop"
    ) -> None:
        """Drops or pastes a file on the page, and waits until it is shown."""
        self.page.evaluate(_BRING, [way, name, media_type, base64.b64encode(content).decode()])
        self.page.locator("#status", has_text=re.compile("^Ready")).wait_for()

    def place(self, x: float, y: float) -> tuple[float, float]:
        """Where a point of the picture, in shares of its width and height, is on the screen."""
        box = self.page.locator("#canvas").bounding_box()
        assert box
        return box["x"] + x * box["width"], box["y"] + y * box["height"]

    def painted(self) -> None:
        """Waits until what the page paints soon is painted."""
        self.page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def click(self, x: float, y: float, button: Any = "left") -> Exchange:
        """Clicks on a point of the picture."""
        return self.answered(lambda: self.page.mouse.click(*self.place(x, y), button=button))

    def drag(self, *points: tuple[float, float]) -> Exchange:
        """Drags along points of the picture."""
        self.page.mouse.move(*self.place(*points[0]))
        self.page.mouse.down()
        for point in points[1:]:
            self.page.mouse.move(*self.place(*point), steps=4)
        return self.answered(self.page.mouse.up)

    def press(self, key: str) -> Exchange:
        """Presses a key that asks the server."""
        return self.answered(lambda: self.page.keyboard.press(key))

    def answered(self, act: Callable[[], object]) -> Exchange:
        """What `act` asks, and the answer, once it is shown."""
        with self.page.expect_response(lambda response: response.url.endswith("/predict")) as caught:
            act()
        answer = caught.value.json()
        self.page.locator("#answer:not(:empty)").wait_for(state="attached")
        return Exchange(json.loads(self.bodies[-1]), answer)

    def download(self) -> tuple[str, Mask]:
        """The downloaded mask and its file's name."""
        with self.page.expect_download() as caught:
            self.page.keyboard.press("d")
        picture = Image.open(io.BytesIO(Path(caught.value.path()).read_bytes()))
        return caught.value.suggested_filename, np.asarray(picture.convert("L")) > 127

    def colour(self, x: float, y: float) -> tuple[int, int, int]:
        """What is seen at a point of the picture, as RGB."""
        shot = Image.open(io.BytesIO(self.page.screenshot())).convert("RGB")
        red, green, blue = np.asarray(shot)[*map(int, reversed(self.place(x, y)))].tolist()
        return red, green, blue
