"""Zooming and moving on the playground: what is clicked is what is seen, however it is shown."""

import io

import numpy as np
import pytest
from PIL import Image

from tests.overlap import overlap
from tests.playground.playing import Playground
from tests.shown import mask_of
from tests.studio import decode_mask

pytestmark = pytest.mark.browser
HEIGHT, WIDTH = 600, 900
RED, GREEN = (500, 340), (560, 390)  # the top left corners of two squares of 10 px
Place = tuple[float, float]


def _picture() -> bytes:
    pixels = np.full((HEIGHT, WIDTH, 3), 128, np.uint8)
    for (x, y), colour in ((RED, (255, 0, 0)), (GREEN, (0, 255, 0))):
        pixels[y : y + 10, x : x + 10] = colour
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


PICTURE = _picture()


def _seen(playground: Playground, channel: int) -> Place:
    """The middle of what is pure red (0) or green (1) on the canvas, where it is on the screen."""
    box = playground.page.locator("#canvas").bounding_box()
    assert box
    shot = Image.open(io.BytesIO(playground.page.screenshot())).convert("RGB")
    left, top = round(box["x"]), round(box["y"])
    shown = np.asarray(shot)[top : round(top + box["height"]), left : round(left + box["width"])].astype(int)
    rows, columns = np.nonzero(shown[..., channel] * 2 - shown.sum(2) > 200)
    return left + columns.mean() + 0.5, top + rows.mean() + 0.5


def _zoom(playground: Playground, at: Place, *steps: float) -> None:
    playground.page.mouse.move(*at)
    for step in steps:
        playground.page.mouse.wheel(0, step)
        playground.painted()


def _pull(playground: Playground, how: str, by: Place) -> None:
    """Moves what is shown by so many px of the screen."""
    mouse, keyboard = playground.page.mouse, playground.page.keyboard
    x, y = playground.place(0.5, 0.5)
    mouse.move(x, y)
    if how == "space":
        keyboard.down(" ")
    mouse.down(button="middle" if how == "middle button" else "left")
    mouse.move(x + by[0], y + by[1], steps=4)
    mouse.up(button="middle" if how == "middle button" else "left")
    if how == "space":
        keyboard.up(" ")
    playground.painted()


def test_the_wheel_zooms_around_the_pointer(playground: Playground) -> None:
    playground.bring(PICTURE)
    before = _seen(playground, 0)
    _zoom(playground, before, -300, -300, -300)
    assert _seen(playground, 0) == pytest.approx(before, abs=4)  # a pixel of the picture has 5 px of the screen
    value = playground.answered(lambda: playground.page.mouse.click(*before)).drawn[0]["value"]
    assert (value["x"] * WIDTH / 100, value["y"] * HEIGHT / 100) == pytest.approx((RED[0] + 5, RED[1] + 5), abs=1)


@pytest.mark.parametrize("how", ["middle button", "space"])
def test_what_is_clicked_is_what_is_seen_after_a_move(playground: Playground, how: str) -> None:
    playground.bring(PICTURE)
    for _ in range(3):
        playground.page.click("#enlarge")
    playground.painted()
    before = _seen(playground, 0)
    _pull(playground, how, (-60, 45))
    after = _seen(playground, 0)
    assert after == pytest.approx((before[0] - 60, before[1] + 45), abs=2)
    (item,) = playground.answered(lambda: playground.page.mouse.click(*after)).drawn  # the move drew nothing
    assert item["value"]["x"] * WIDTH / 100 == pytest.approx(RED[0] + 5, abs=1)
    assert item["value"]["y"] * HEIGHT / 100 == pytest.approx(RED[1] + 5, abs=1)


@pytest.mark.parametrize("tool", ["box", "scribble"])
def test_a_drag_on_an_enlarged_picture_has_the_pictures_pixels(playground: Playground, tool: str) -> None:
    playground.bring(PICTURE)
    if tool == "scribble":
        playground.page.keyboard.press("b")
    _zoom(playground, _seen(playground, 0), -300, -300)
    start, end = _seen(playground, 0), _seen(playground, 1)
    playground.page.mouse.move(*start)
    playground.page.mouse.down()
    playground.page.mouse.move(*end, steps=8)
    (item,) = playground.answered(playground.page.mouse.up).drawn
    corners = [RED[0] + 5, RED[1] + 5, GREEN[0] + 5, GREEN[1] + 5]
    if tool == "box":
        x, y, width, height = (item["value"][key] / 100 for key in ("x", "y", "width", "height"))
        drawn = [x * WIDTH, y * HEIGHT, (x + width) * WIDTH, (y + height) * HEIGHT]
        assert drawn == pytest.approx(corners, abs=1)
    else:
        rows, columns = np.nonzero(decode_mask(item))
        drawn = [columns.min(), rows.min(), columns.max(), rows.max()]
        assert drawn == pytest.approx(corners, abs=7)  # the brush's radius, and a px


def test_the_mask_lies_on_its_object_on_an_enlarged_picture(playground: Playground) -> None:
    playground.bring(PICTURE)
    _zoom(playground, playground.place(0.5, 0.5), -200)
    red, green = (np.array(_seen(playground, channel)) for channel in (0, 1))
    scale = (green - red) / (np.array(GREEN) - RED)
    mask = mask_of(playground.click(0.5, 0.5).region)
    shot = np.asarray(Image.open(io.BytesIO(playground.page.screenshot())).convert("RGB")).astype(int)
    agree = []
    for x, y in (playground.place(across / 20, down / 20) for across in range(1, 20) for down in range(1, 20)):
        column, row = ((x, y) - red) / scale + np.array(RED) + 5
        near = mask[int(row) - 8 : int(row) + 9, int(column) - 8 : int(column) + 9]
        if near.all() or not near.any():  # away from its edge
            pixel = shot[int(y), int(x)]
            agree.append((pixel[2] - pixel[0] > 40) == near.all())
    assert 0.05 < mask.mean() < 0.95
    assert len(agree) > 100
    assert np.mean(agree) > 0.97  # marks and squares have colours of their own


def test_the_share_of_the_picture_is_that_of_the_whole_picture(playground: Playground) -> None:
    playground.bring(PICTURE)
    region = playground.click(0.5, 0.5).region
    share = playground.page.inner_text("#covers")
    _zoom(playground, playground.place(0.5, 0.5), -300, -300, -300, -300)
    again = [playground.press("o") for _ in range(6)][-1].region  # asked anew, and the sixth is of the same kind
    assert again["value"] == region["value"]
    assert playground.page.inner_text("#covers") == share
    assert overlap(playground.download()[1], mask_of(region)) == 1


@pytest.mark.parametrize("how", ["key", "button"])
def test_there_is_a_way_back_to_the_whole_picture(playground: Playground, how: str) -> None:
    playground.bring(PICTURE)
    assert playground.page.is_disabled("#whole")
    at = _seen(playground, 0)
    playground.page.click("#enlarge")
    _zoom(playground, at, -300)
    assert _seen(playground, 0) != pytest.approx(at, abs=2)
    if how == "key":
        playground.page.keyboard.press("0")
    else:
        playground.page.click("#whole")
    playground.painted()
    assert _seen(playground, 0) == pytest.approx(at, abs=1)
    assert playground.page.is_disabled("#whole")


def test_a_panorama_grows_into_the_room_that_there_is(playground: Playground) -> None:
    file = io.BytesIO()
    Image.new("RGB", (12000, 300), "gray").save(file, "PNG")
    playground.bring(file.getvalue())
    canvas = playground.page.locator("#canvas")
    small = canvas.bounding_box()
    _zoom(playground, playground.place(0.25, 0.5), *[-300] * 6)
    large = canvas.bounding_box()
    assert small
    assert large
    assert small["height"] < 25
    assert large["height"] > 400
    value = playground.click(0.25, 0.5).drawn[0]["value"]
    assert (value["x"], value["y"]) == pytest.approx((25, 50), abs=1)


def test_arrow_keys_take_what_is_shown_along(playground: Playground) -> None:
    playground.bring(PICTURE)
    playground.page.focus("#canvas")
    for key in [*["+"] * 5, *["Shift+ArrowRight"] * 14]:
        playground.page.keyboard.press(key)
        playground.painted()
    (item,) = playground.press("Enter").drawn
    assert item["value"]["x"] > 55  # beyond what was shown at first: 100 / 1.5^5 / 2 from the middle
    shown = playground.page.screenshot(clip=playground.page.locator("#canvas").bounding_box())
    pixels = np.asarray(Image.open(io.BytesIO(shown)).convert("RGB")).astype(int)
    assert (pixels[..., 1] - pixels[..., 0] > 100).any()  # the click's green sign
