"""The playground in a real browser, against a running server."""

import io
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import ExifTags, Image, features

from tests.conftest import png, recorded
from tests.overlap import overlap
from tests.playground.playing import Playground
from tests.shown import mask_of
from tests.studio import decode_mask

pytestmark = pytest.mark.browser
HEIGHT, WIDTH = 120, 160
PICTURE = png(HEIGHT, WIDTH)


@pytest.mark.parametrize("way", ["drop", "paste"])
def test_a_click_on_a_picture_shows_a_mask_with_its_score(playground: Playground, way: str) -> None:
    playground.bring(PICTURE, way=way)
    on, off = playground.colour(0.5, 0.4), playground.colour(0.05, 0.05)
    region = playground.click(0.5, 0.5).region
    assert playground.colour(0.5, 0.4)[2] > on[2]  # bluer
    assert playground.colour(0.05, 0.05) == off
    assert playground.page.inner_text("#score") == f"{region['score']:.3f}"
    assert f"score {region['score']:.3f}" in playground.page.inner_text("#status")


def test_a_click_is_sent_as_label_studio_sends_it(playground: Playground) -> None:
    playground.bring(PICTURE)
    body = playground.click(0.25, 0.75).body
    theirs = json.loads(recorded("predict_keypoint_pos").read_text())["body"]
    (item,), (their_item,) = (each["params"]["context"]["result"] for each in (body, theirs))
    assert body.keys() == theirs.keys()
    assert body["params"].keys() == theirs["params"].keys()
    assert item.keys() == their_item.keys()
    assert item["value"].keys() == their_item["value"].keys()
    assert (item["original_width"], item["original_height"], item["is_positive"]) == (WIDTH, HEIGHT, True)
    assert (item["value"]["x"], item["value"]["y"]) == pytest.approx((25, 75), abs=0.2)


def test_a_phones_picture_is_clicked_as_it_is_seen(playground: Playground) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6  # turned clockwise to be upright
    photo = io.BytesIO()
    Image.open(io.BytesIO(PICTURE)).save(photo, "JPEG", exif=exif)
    playground.bring(photo.getvalue(), "photo.jpg", "image/jpeg")
    region = playground.click(0.25, 0.5).region
    assert (region["original_width"], region["original_height"]) == (HEIGHT, WIDTH)
    assert overlap(playground.download()[1], mask_of(region)) == 1
    assert mask_of(region)[WIDTH // 2, HEIGHT // 4]


def test_a_picture_that_is_opened_is_sent_as_a_task_that_is_opened(playground: Playground) -> None:
    playground.bring(PICTURE)
    assert json.loads(playground.bodies[-1])["params"] == {"login": None, "password": None, "context": None}


@pytest.mark.parametrize("how", ["Alt", "right button", "tool"])
def test_each_way_to_exclude_sends_a_negative_click(playground: Playground, how: str) -> None:
    playground.bring(PICTURE)
    playground.click(0.5, 0.5)
    if how == "Alt":
        playground.page.keyboard.down("Alt")
    if how == "tool":
        playground.page.keyboard.press("n")
    exchange = playground.click(0.6, 0.5, "right" if how == "right button" else "left")
    assert [item["is_positive"] for item in exchange.drawn] == [True, False]
    mask = mask_of(exchange.region)
    assert mask[HEIGHT // 2, WIDTH // 2]
    assert not mask[HEIGHT // 2, int(0.6 * WIDTH)]


def test_a_drag_is_a_box(playground: Playground) -> None:
    playground.bring(PICTURE)
    exchange = playground.drag((0.7, 0.8), (0.2, 0.3))
    (item,) = exchange.drawn
    assert item["type"] == "rectanglelabels"
    assert [item["value"][key] for key in ("x", "y", "width", "height")] == pytest.approx([20, 30, 50, 50], abs=0.4)
    assert exchange.region["type"] == "bitmasklabels"


def test_a_scribble_is_sent_as_the_pixels_under_the_brush(playground: Playground) -> None:
    playground.bring(PICTURE)
    playground.page.keyboard.press("b")
    exchange = playground.drag((0.3, 0.5), (0.6, 0.5))
    rows, columns = np.nonzero(decode_mask(exchange.drawn[0]))
    assert (columns.min(), columns.max()) == pytest.approx((0.3 * WIDTH, 0.6 * WIDTH), abs=4)
    assert abs(rows - HEIGHT / 2).max() < 4
    assert exchange.region["type"] == "bitmasklabels"


@pytest.mark.parametrize("mark", ["click", "scribble"])
def test_each_kind_of_answer_is_shown_as_what_it_is(playground: Playground, mark: str) -> None:
    playground.bring(PICTURE)
    if mark == "scribble":
        playground.page.keyboard.press("b")
    exchange = playground.click(0.5, 0.5) if mark == "click" else playground.drag((0.4, 0.5), (0.6, 0.5))
    kinds = []
    for _ in range(6):
        kinds.append(exchange.region["type"])
        name, shown = playground.download()
        assert name == "picture-mask.png"
        assert overlap(shown, mask_of(exchange.region)) > 0.95
        exchange = playground.press("o")
    assert kinds == [f"{kind}labels" for kind in ("bitmask", "brush", "polygon", "vector", "ellipse", "rectangle")]


def test_undo_takes_back_the_last_mark_and_escape_all(playground: Playground) -> None:
    playground.bring(PICTURE)
    first = playground.click(0.3, 0.5)
    playground.click(0.6, 0.5)
    assert playground.press("Control+z").drawn == first.drawn
    playground.page.keyboard.press("Escape")
    assert not playground.page.inner_text("#score").startswith("0")
    assert playground.page.is_disabled("#undo")
    assert playground.page.is_disabled("#download")


def test_an_answer_that_comes_after_escape_is_not_shown(playground: Playground) -> None:
    playground.bring(PICTURE)
    held: list[Any] = []

    def hold(route: Any) -> None:
        held.append(route)

    playground.page.route("**/predict", hold)
    with playground.page.expect_response("**/predict"):
        playground.page.mouse.click(*playground.place(0.5, 0.5))
        playground.page.locator("#busy", has_text="Encoding").wait_for()
        playground.page.keyboard.press("Escape")
        held[0].continue_()
    playground.page.locator("body:not(.busy)").wait_for()
    assert not playground.page.inner_text("#score").startswith("0")
    assert playground.page.inner_text("#answer") == ""


def test_the_keyboard_alone_can_click(playground: Playground) -> None:
    playground.bring(PICTURE)
    playground.page.focus("#canvas")
    for key in ("ArrowRight", "ArrowRight", "ArrowUp"):
        playground.page.keyboard.press(key)
    value = playground.press("Enter").drawn[0]["value"]
    assert (value["x"], value["y"]) == pytest.approx((52, 50 - WIDTH / HEIGHT), abs=0.01)
    assert playground.press("Alt+Enter").drawn[1]["is_positive"] is False


def test_the_servers_steps_are_shown_where_it_tells_them(playground: Playground) -> None:
    playground.bring(PICTURE)

    def timed(route: Any) -> None:
        header = 'decode;dur=31.5, total;dur=40, cache;desc="hit", region;desc="mask to region";dur=2'
        answer = route.fetch()
        route.fulfill(response=answer, headers={**answer.headers, "Server-Timing": header})

    playground.page.route("**/predict", timed)
    playground.click(0.5, 0.5)
    names, times = (playground.page.locator(f"#steps {kind}").all_inner_texts() for kind in ("dt", "dd"))
    assert names == ["prepare", "decode", "mask to region", "other", "network", "show"]
    assert times[1:4] == ["32 ms", "2.0 ms", "6.5 ms"]


def test_what_the_server_refuses_is_said_with_the_way_out(playground: Playground) -> None:
    playground.bring(png(3000, 4004))
    playground.page.mouse.click(*playground.place(0.5, 0.5))
    playground.page.locator("#error", has_text="raise SAMSERVE_MAX_MEGAPIXELS").wait_for()
    (logged,) = playground.complaints
    assert "400" in logged  # by Chromium, not by the page
    playground.complaints.clear()


@pytest.mark.skipif(not features.check("avif"), reason="this Pillow writes no AVIF")
@pytest.mark.parametrize("media_type", ["image/avif", ""])
def test_what_the_browser_can_decode_is_taken(playground: Playground, media_type: str) -> None:
    file = io.BytesIO()
    Image.open(io.BytesIO(PICTURE)).save(file, "AVIF")
    playground.bring(file.getvalue(), "picture.avif", media_type)
    assert playground.click(0.5, 0.5).region["original_width"] == WIDTH


@pytest.mark.parametrize(
    ("name", "media_type", "content"),
    [("notes.txt", "text/plain", b"no picture"), ("cut.png", "image/png", PICTURE[:40])],
)
def test_what_is_no_picture_is_refused_by_name(
    playground: Playground, name: str, media_type: str, content: bytes
) -> None:
    playground.page.set_input_files("#file", {"name": name, "mimeType": media_type, "buffer": content})
    playground.page.locator("#error", has_text=f"{name} cannot be shown").wait_for()
    assert media_type in playground.page.inner_text("#error")


def test_the_drawn_sample_can_be_clicked_at_once(playground: Playground) -> None:
    playground.page.click("#sample")
    playground.page.locator("#status", has_text=re.compile("^Ready")).wait_for()
    assert playground.click(0.5, 0.6).region["original_width"] == 1200


def test_a_picture_of_twelve_megapixels_works(playground: Playground) -> None:
    playground.bring(png(3000, 4000))
    playground.page.keyboard.press("b")
    stroke = decode_mask(playground.drag((0.3, 0.5), (0.6, 0.5)).drawn[0])
    assert stroke.shape == (3000, 4000)
    assert stroke[1500, 1800]
    region = playground.press("o").region
    assert region["type"] == "brushlabels"
    assert overlap(playground.download()[1], decode_mask(region)) == 1


@pytest.mark.skipif(not shutil.which("curl"), reason="no curl here")
def test_the_curl_command_asks_the_same(playground: Playground, tmp_path: Path) -> None:
    name = "it's $HOME.png"
    playground.bring(PICTURE, name)
    (tmp_path / name).write_bytes(PICTURE)
    region = playground.click(0.5, 0.5).region
    playground.page.click("#tab-curl")
    playground.page.click("#copy")
    playground.page.locator("#copy", has_text="Copied").wait_for()
    command = playground.page.evaluate("() => navigator.clipboard.readText()")
    ran = subprocess.run(["sh", "-c", command], cwd=tmp_path, capture_output=True, text=True, timeout=30, check=True)
    (again,) = json.loads(ran.stdout)["results"][0]["result"]
    assert again["value"] == region["value"]


def test_the_rle_is_label_studios(playground: Playground) -> None:
    vectors = json.loads(recorded("rle_vectors").read_text())
    both = """async ([rle, width, height, runs]) => {
        const { decodeRle, encodeRle } = await import("./playground/rle.js");
        return [[...decodeRle(rle, width, height)], encodeRle(runs)];
    }"""
    cases = [
        ("2x2", 2, 2, [(1, 0), (2, 255), (1, 0)]),
        ("200x200band", 200, 200, [(n * 10000, n // 2 * 255) for n in (1, 2, 1)]),
    ]
    for name, width, height, runs in cases:
        rle = vectors[name]["js"]
        pixels = [value for count, value in runs for _ in range(4 * count)]
        arguments = [rle, width, height, [(count, value > 0) for count, value in runs]]
        assert playground.page.evaluate(both, arguments) == [pixels, rle]
