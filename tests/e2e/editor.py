"""Label Studio's labeling editor as an annotator uses it: a click here is a click of the mouse there."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from playwright.sync_api import Page, expect

from tests.e2e.api import Json

_ACTIVE, _SELECTED = re.compile("lsf-tool_active"), re.compile("lsf-label_selected")
Position = tuple[float, float]

KEY_POINT, BOX, THREE_POINT_BOX = "key-point-tool", "rectangle-tool", "rectangle-3-point-tool"

# Resolves to the milliseconds from the last mouse-up to the first frame that shows what the answer brought; to null
# when the answer changes nothing for 3 s. Konva's canvases hold the regions and nothing else, so a small copy of them
# tells one drawing from another.
_WATCH = """() => {
  window.shown = new Promise(done => {
    const copy = new OffscreenCanvas(64, 48).getContext('2d', {willReadFrequently: true});
    const drawing = () => {
      copy.clearRect(0, 0, 64, 48);
      document.querySelectorAll('.konvajs-content canvas').forEach(layer => copy.drawImage(layer, 0, 0, 64, 48));
      return copy.getImageData(0, 0, 64, 48).data;
    };
    const differs = (a, b) => a.reduce((sum, value, i) => sum + (Math.abs(value - b[i]) > 24), 0) > 24;
    let up = 0, before = null, answered = 0;
    addEventListener('mouseup', event => { up = event.timeStamp; }, {capture: true});
    const look = () => {
      if (Htx.awaitingSuggestions) { before = drawing(); answered = performance.now(); }
      else if (before && differs(before, drawing())) return done(performance.now() - up);
      else if (before && performance.now() > answered + 3000) return done(null);
      requestAnimationFrame(look);
    };
    look();
  });
}"""


@dataclass(frozen=True)
class Answer:
    """What a gesture sent and got, and the milliseconds from mouse-up to seeing it (None: there was nothing to see)."""

    prompts: list[Json]
    body: Json
    milliseconds: float | None


class Editor:
    """The editor of one task in one browser page. Positions are px of the picture."""

    def __init__(self, page: Page, url: str, auto_accept: bool = False) -> None:
        self.page = page
        self.answers: list[Answer] = []
        page.goto(url)
        expect(page.locator(".lsf-image img")).to_be_visible()
        page.get_by_text("Auto-Annotation").click()
        if auto_accept:
            page.get_by_text("Auto-Accept Suggestions").click()

    def click(self, x: float, y: float, *held: str, label: str = "Object") -> Answer:
        """A click with the smart key point; with "Alt" held it is negative, with "Control" it ignores regions there."""
        self._pick(KEY_POINT, label)
        with self._answered():
            for key in held:
                self.page.keyboard.down(key)
            self.page.mouse.click(*self._at(x, y))
            for key in held:
                self.page.keyboard.up(key)
        return self.answers[-1]

    def drag_box(self, corner: Position, opposite: Position, label: str = "Object") -> Answer:
        """A box drawn with the smart rectangle."""
        self._pick(BOX, label)
        with self._answered():
            self.page.mouse.move(*self._at(*corner))
            self.page.mouse.down()
            self.page.mouse.move(*self._at(*opposite), steps=5)
            self.page.mouse.up()
        return self.answers[-1]

    def three_corners(self, *corners: Position) -> Answer:
        """A rotated box drawn with the smart 3-point rectangle."""
        self._pick(THREE_POINT_BOX, "Object")
        with self._answered():
            for corner in corners:
                self.page.mouse.move(*self._at(*corner), steps=5)
                self.page.mouse.click(*self._at(*corner))
        return self.answers[-1]

    def accept(self) -> None:
        """The check mark in the bottom bar."""
        self.page.get_by_test_id("bottombar-accept-suggestions-button").click()

    def submit(self) -> None:
        """Stores the annotation."""
        with self.page.expect_response(lambda answer: "/annotations" in answer.url and answer.request.method == "POST"):
            self.page.locator("button[aria-label='Submit current annotation']").click()

    def regions(self) -> list[str]:
        """The ids of the annotation's regions, suggestions left out."""
        ids: list[str] = self.page.evaluate("Htx.annotationStore.selected.regions.map(region => region.cleanId)")
        return ids

    def suggested_labels(self) -> list[str]:
        """The labels of the suggestions, which they are coloured by."""
        labels: list[str] = self.page.evaluate(
            "[...Htx.annotationStore.selected.suggestions.values()].flatMap(region => region.labels)"
        )
        return labels

    def _pick(self, tool: str, label: str) -> None:
        """Chooses a label of the tool's control, which most configs unset after each drawing, then the smart tool."""
        groups = self.page.locator(".lsf-labels")
        group = groups.nth(min(0 if tool == KEY_POINT else 1, groups.count() - 1))
        chosen = group.locator(".lsf-label").filter(has_text=label)
        if not _SELECTED.search(chosen.get_attribute("class") or ""):
            chosen.click()
        self.page.locator(".lsf-tool_smart").first.hover()
        smart = self.page.locator(f".lsf-tool_smart[aria-label='{tool}']")
        smart.click()
        expect(smart).to_have_class(_ACTIVE)
        expect(chosen).to_have_class(_SELECTED)

    def _at(self, x: float, y: float) -> Position:
        picture = self.page.locator(".lsf-image img")
        width, height = picture.evaluate("picture => [picture.naturalWidth, picture.naturalHeight]")
        box = picture.bounding_box()
        assert box
        return box["x"] + x * box["width"] / width, box["y"] + y * box["height"] / height

    @contextmanager
    def _answered(self) -> Iterator[None]:
        """Waits until the answer to the gesture made inside is on screen."""
        self.page.evaluate(_WATCH)
        with self.page.expect_response(lambda answer: answer.url.endswith("/interactive-annotating")) as response:
            yield
        sent = response.value.request.post_data_json
        assert sent
        prompts = sent["context"]["result"]
        self.answers.append(Answer(prompts, response.value.json(), self.page.evaluate("window.shown")))
