"""Drawn areas: filled shapes are rough masks, thin strokes are rows of clicks."""

import base64
import io
from typing import Any

import msgspec
import numpy as np
import pytest
from PIL import Image, ImageDraw

from server.core.geometry import Box, ImageSize, Point
from server.core.items import DrawnItem
from server.core.prediction import Mask
from server.core.rle import encode_rle
from server.core.shape import Shape, fill_outline, is_scribble, without_holes
from server.core.sketch import Sketch, sketch
from server.errors import BadPrompt

FRAME = ImageSize(300, 400)


def drawn(*values: dict[str, Any]) -> Sketch:
    common = {"from_name": "tool", "to_name": "image", "original_width": 400, "original_height": 300}
    items = [common | {"id": f"item{k}", "value": value} for k, value in enumerate(values)]
    return sketch(msgspec.json.decode(msgspec.json.encode(items), type=list[DrawnItem]), FRAME)


def painted(draw: Any) -> Mask:
    canvas = Image.new("1", (400, 300))
    draw(ImageDraw.Draw(canvas))
    return np.array(canvas)


def brush(mask: Mask) -> dict[str, Any]:
    return {"format": "rle", "rle": encode_rle(mask).tolist(), "brushlabels": ["A"]}


def png(mask: Mask, *, transparent: bool) -> str:
    """White on transparent, or white on opaque black."""
    pixels = np.where(mask[..., None], 255, 0).astype(np.uint8).repeat(4, axis=2)
    if not transparent:
        pixels[..., 3] = 255
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()


def only_shape(what: Sketch) -> Shape:
    assert what.points == []
    ((shape, _),) = what.areas
    assert isinstance(shape, Shape)
    return shape


DISC = painted(lambda draw: draw.ellipse((100, 80, 220, 200), fill=1))
LINE = painted(lambda draw: draw.line((50, 50, 350, 250), fill=1, width=6))


@pytest.mark.parametrize(
    "value",
    [brush(DISC), {"maskDataURL": png(DISC, transparent=True)}, {"maskDataURL": png(DISC, transparent=False)},
     {"imageDataURL": png(DISC, transparent=True)}],
)  # fmt: skip
def test_a_filled_stroke_is_the_rough_mask_of_one_object(value: dict[str, Any]) -> None:
    shape = only_shape(drawn(value))
    assert np.array_equal(shape.mask, DISC)
    assert shape.box == Box(100, 80, 221, 201)
    assert [shape.inside.x, shape.inside.y] == pytest.approx([160, 140], abs=3)


def test_a_closed_outline_means_what_is_inside() -> None:
    ring = painted(lambda draw: draw.ellipse((100, 80, 220, 200), outline=1, width=6))
    assert is_scribble(ring)
    assert np.array_equal(only_shape(drawn(brush(ring))).mask, DISC)


def test_a_thin_stroke_is_clicks_along_it() -> None:
    what = drawn(brush(LINE))
    assert what.areas == []
    assert len(what.points) == 3
    assert all(point.positive and LINE[int(point.y), int(point.x)] for point in what.points)
    across = sorted(point.x for point in what.points)
    assert across[0] < 100
    assert across[2] > 300


def test_strokes_of_one_context_are_one_drawing() -> None:
    left, right = DISC.copy(), DISC.copy()
    left[:, 160:], right[:, :150] = False, False
    assert np.array_equal(only_shape(drawn(brush(left), brush(right))).mask, DISC)


def test_an_empty_stroke_draws_nothing() -> None:
    what = drawn(brush(np.zeros((300, 400), bool)))
    assert (what.points, what.areas) == ([], [])


@pytest.mark.parametrize("closed", [True, False])
def test_a_polygon_is_a_rough_mask_in_the_box_of_its_corners(closed: bool) -> None:
    shape = only_shape(drawn({"points": [[25, 20], [75, 20], [50, 80]], "closed": closed}))
    assert shape.box == Box(100, 60, 300, 240)
    expected = painted(lambda draw: draw.polygon([(100, 60), (300, 60), (200, 240)], fill=1))
    assert np.count_nonzero(shape.mask ^ expected) < 0.02 * np.count_nonzero(expected)
    assert shape.mask[int(shape.inside.y), int(shape.inside.x)]


def test_an_ellipse_turns_clockwise_about_its_centre() -> None:
    shape = only_shape(drawn({"x": 50, "y": 50, "radiusX": 25, "radiusY": 10, "rotation": 45}))
    assert shape.mask[150 + 60, 200 + 60]
    assert not shape.mask[150 - 60, 200 + 60]
    area = np.pi * 100 * 30
    assert np.count_nonzero(shape.mask) == pytest.approx(area, rel=0.03)
    half = np.hypot(100, 30) / np.sqrt(2)
    corners = (shape.box.x1, shape.box.y1, shape.box.x2, shape.box.y2)
    assert corners == pytest.approx((200 - half, 150 - half, 200 + half, 150 + half), abs=0.3)


def test_clicks_beside_a_shape_are_kept() -> None:
    what = drawn({"points": [[25, 20], [75, 20], [50, 80]]}, {"x": 10, "y": 10, "width": 1})
    assert what.points == [Point(40, 30)]
    assert len(what.areas) == 1


def test_shapes_far_outside_are_cut_at_the_image() -> None:
    shape = only_shape(drawn({"points": [[-1e9, 50], [50, -1e9], [1e9, 1e9]]}))
    assert shape.box == Box(0, 0, 400, 300)


@pytest.mark.parametrize(
    "url",
    [
        "data:image/jpeg;base64,AAAA",
        "data:image/png;base64,@@",
        "data:image/png;base64,AAAA",
        png(np.ones((10, 10), bool), transparent=True),
        png(DISC, transparent=True)[:-400],
    ],
)
def test_a_png_that_is_no_mask_of_this_image_is_refused_by_its_item(url: str) -> None:
    with pytest.raises(BadPrompt, match="item 'item0': "):
        drawn({"maskDataURL": url})


def test_filling_an_outline_covers_the_pixels_whose_centres_are_inside() -> None:
    mask = fill_outline([(10, 20), (50, 20), (50, 60), (10, 60)], FRAME)
    inner = np.zeros((300, 400), bool)
    inner[20:60, 10:50] = True
    assert mask[inner].all()
    assert np.count_nonzero(mask) <= 41 * 41


def test_holes_are_filled_and_bays_are_not() -> None:
    shape = painted(lambda draw: draw.rectangle((50, 50, 150, 150), outline=1, width=5))
    filled = without_holes(shape)
    assert filled[100, 100]
    shape[50:56, 90:110] = False
    assert np.array_equal(without_holes(shape), shape)


def test_shapes_that_would_not_fit_into_memory_are_refused() -> None:
    corner = [[0, 0], [1, 0], [0, 1]]
    item = {"from_name": "tool", "to_name": "image", "original_width": 20_000, "original_height": 10_000}
    items = [item | {"id": f"item{k}", "value": {"points": corner}} for k in range(6)]
    decoded = msgspec.json.decode(msgspec.json.encode(items), type=list[DrawnItem])
    with pytest.raises(BadPrompt, match="item 'item5': too many shapes"):
        sketch(decoded, ImageSize(10_000, 20_000))
