"""The playground on a phone: fingers draw, pinch and scroll."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import png
from tests.playground.conftest import Recorder, opened
from tests.playground.playing import Playground

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser
HEIGHT, WIDTH = 240, 160
PICTURE = png(HEIGHT, WIDTH)
Place = tuple[float, float]


@pytest.fixture
def phone(browser: "Browser", server: Recorder) -> Iterator[Playground]:
    """The page on a phone."""
    yield from opened(browser, server, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)


@dataclass
class Hand:
    """Fingers on the phone's screen."""

    phone: Playground
    session: Any

    def touch(self, kind: str, *points: Place, first: int = 0) -> None:
        """Puts down, moves or lifts (all without points) the fingers from the `first` on, at or to `points`."""
        shown = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(points, first)]
        self.session.send("Input.dispatchTouchEvent", {"type": f"touch{kind}", "touchPoints": shown})
        self.phone.painted()

    def move(self, *ways: tuple[Place, Place]) -> None:
        """Moves each finger that is down from the start to the end of its way."""
        for step in range(1, 11):
            self.touch("Move", *[(a + (c - a) * step / 10, b + (d - b) * step / 10) for (a, b), (c, d) in ways])

    def swipe(self, *ways: tuple[Place, Place]) -> None:
        """Puts one finger down after the other, moves all, and lifts them."""
        for number, (start, _) in enumerate(ways):
            self.touch("Start", start, first=number)
        self.move(*ways)
        self.touch("End")


@pytest.fixture
def hand(phone: Playground) -> Hand:
    return Hand(phone, phone.page.context.new_cdp_session(phone.page))


def _scrolled(playground: Playground) -> float:
    return float(playground.page.evaluate("() => scrollY"))


def test_a_pinch_zooms_around_the_fingers_and_draws_nothing(phone: Playground, hand: Hand) -> None:
    phone.bring(PICTURE)
    x, y = phone.place(0.4, 0.6)
    asked = len(phone.bodies)
    hand.swipe(((x - 20, y), (x - 50, y)), ((x + 20, y), (x + 50, y)))
    assert phone.page.is_enabled("#whole")
    assert phone.page.is_disabled("#undo")
    assert len(phone.bodies) == asked
    value = phone.answered(lambda: phone.page.touchscreen.tap(x, y)).drawn[0]["value"]
    assert (value["x"], value["y"]) == pytest.approx((40, 60), abs=1)


def test_a_second_finger_takes_back_what_the_first_began_to_draw(phone: Playground, hand: Hand) -> None:
    phone.bring(PICTURE)
    canvas = phone.page.locator("#canvas")
    canvas.blur()  # no cross for the arrow keys
    empty, asked = canvas.screenshot(), len(phone.bodies)
    start, end, other = phone.place(0.3, 0.3), phone.place(0.6, 0.6), phone.place(0.7, 0.2)
    hand.touch("Start", start)
    hand.move((start, end))
    assert canvas.screenshot() != empty
    hand.touch("Start", other, first=1)
    assert canvas.screenshot() == empty
    hand.touch("End")
    assert len(phone.bodies) == asked


def test_a_finger_that_stays_after_a_pinch_goes_on_moving_the_picture(phone: Playground, hand: Hand) -> None:
    phone.bring(PICTURE)
    for _ in range(3):
        phone.page.tap("#enlarge")
    x, y = phone.place(0.5, 0.5)
    hand.touch("Start", (x, y))
    hand.touch("Start", (x + 40, y), first=1)
    hand.touch("End", (x + 40, y), first=1)
    hand.move(((x, y), (x - 40, y - 30)))
    hand.touch("End")
    value = phone.answered(lambda: phone.page.touchscreen.tap(x - 40, y - 30)).drawn[0]["value"]
    assert (value["x"], value["y"]) == pytest.approx((50, 50), abs=1)


def test_two_fingers_move_what_is_shown(phone: Playground, hand: Hand) -> None:
    phone.bring(PICTURE)
    for _ in range(3):
        phone.page.tap("#enlarge")
    phone.painted()
    x, y = phone.place(0.5, 0.5)
    hand.swipe(((x - 20, y), (x - 60, y - 30)), ((x + 20, y), (x - 20, y - 30)))
    value = phone.answered(lambda: phone.page.touchscreen.tap(x - 40, y - 30)).drawn[0]["value"]
    assert (value["x"], value["y"]) == pytest.approx((50, 50), abs=1)


def test_one_finger_on_the_picture_draws_a_box_and_beside_it_scrolls(phone: Playground, hand: Hand) -> None:
    phone.bring(PICTURE)
    corners = phone.place(0.3, 0.7), phone.place(0.6, 0.2)
    (item,) = phone.answered(lambda: hand.swipe(corners)).drawn
    assert item["type"] == "rectanglelabels"
    assert _scrolled(phone) == 0
    left, y = phone.place(0, 0.7)
    hand.swipe(((left - 10, y), (left - 10, y - 200)))
    assert _scrolled(phone) > 50


def test_one_finger_scrolls_where_there_is_no_picture_yet(phone: Playground, hand: Hand) -> None:
    box = phone.page.locator("#board").bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] * 0.9
    hand.swipe(((x, y), (x, y - 200)))
    assert _scrolled(phone) > 50


def test_a_phone_is_told_of_fingers_and_a_desk_of_keys(phone: Playground) -> None:
    assert "Two fingers" in phone.page.inner_text("#keys")
    assert "Alt" not in phone.page.inner_text("#keys")


def test_the_pictures_size_is_not_cut(phone: Playground) -> None:
    phone.bring(PICTURE, f"{'a long name ' * 8}.png")
    size = phone.page.locator("#size")
    assert size.inner_text().strip() == f"· {WIDTH} \N{MULTIPLICATION SIGN} {HEIGHT}"
    box = size.bounding_box()
    assert box
    assert box["x"] + box["width"] <= 390
    assert phone.page.evaluate("() => document.documentElement.scrollWidth") == 390
