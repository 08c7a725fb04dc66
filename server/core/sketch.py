"""Drawn items as clicks, boxes and filled shapes in pixels; what an item is, its value's keys say, as in the editor."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec

from server.core.drawn_outline import ellipse, polygon, rectangle
from server.core.geometry import Box, ImageSize, Point, clamp, is_near
from server.core.items import DrawnItem
from server.core.png_mask import decode_png_mask
from server.core.prediction import Mask
from server.core.rle_decode import decode_rle
from server.core.shape import Shape, fill_outline, filled_shape, is_scribble, scribble_clicks, without_holes
from server.errors import BadPrompt

_MOST_SHAPE_PIXELS = 10**9  # a byte each


@dataclass(slots=True)
class Sketch:
    """All that was drawn on one image: clicks, and areas that each ask for a region, with the item that drew them."""

    points: list[Point] = field(default_factory=list)
    areas: list[tuple[Box | Shape, DrawnItem]] = field(default_factory=list)


def sketch(items: Sequence[DrawnItem], frame: ImageSize) -> Sketch:
    """What `items` draw on an image of `frame`'s size. All brush strokes together are one stroke.

    Raises:
        BadPrompt: an item has no geometry that can be understood, or one that lies outside of the image.
    """
    drawn = Sketch()
    stroke: tuple[Mask, DrawnItem] | None = None
    for item in items:
        mask = _mask(item, frame)
        if mask is None:
            _add(item, frame, drawn)
        else:
            stroke = (stroke[0] | mask if stroke else mask), item
    if stroke:
        _add_stroke(*stroke, drawn)
    return drawn


def _add(item: DrawnItem, frame: ImageSize, drawn: Sketch) -> None:
    value = item.value
    if outline := polygon(value, frame) or ellipse(value, frame):
        hull = _hull(outline, item, frame)
        if (len(drawn.areas) + 1) * frame.pixels > _MOST_SHAPE_PIXELS:
            raise BadPrompt(f"item {item.id!r}: too many shapes at once for an image of this size")
        shape = filled_shape(fill_outline(outline, frame), hull) if isinstance(hull, Box) else None
        _add_area(shape or hull, item, drawn)
    elif outline := rectangle(value, frame):
        _add_area(_hull(outline, item, frame), item, drawn)
    elif value.x is None or value.y is None:
        raise BadPrompt(
            f"item {item.id!r} has no geometry: expected x and y, with width and height or radiusX and radiusY for a "
            f"shape, or points, or rle"
        )
    else:
        _add_area(_hull([(value.x * frame.width / 100, value.y * frame.height / 100)], item, frame), item, drawn)


def _add_area(area: Box | Shape | Point, item: DrawnItem, drawn: Sketch) -> None:
    """A shape without an area is a click."""
    if isinstance(area, Point):
        drawn.points.append(Point(area.x, area.y, item.is_positive))
    else:
        drawn.areas.append((area, item))


def _add_stroke(stroke: Mask, item: DrawnItem, drawn: Sketch) -> None:
    stroke = without_holes(stroke)
    if is_scribble(stroke):
        drawn.points += scribble_clicks(stroke)
    elif shape := filled_shape(stroke):
        drawn.areas.append((shape, item))


def _hull(outline: Sequence[tuple[float, float]], item: DrawnItem, frame: ImageSize) -> Box | Point:
    """The box around an outline, cut to the image; its middle where that has no area.

    Raises:
        BadPrompt: the outline lies outside of the image, by more than rounding explains.
    """
    x1, x2 = (edge(x for x, _ in outline) for edge in (min, max))
    y1, y2 = (edge(y for _, y in outline) for edge in (min, max))
    if not (is_near(x1, x2, frame.width) and is_near(y1, y2, frame.height)):
        place = f"({x1:g}, {y1:g})" + (f" to ({x2:g}, {y2:g})" if (x1, y1) != (x2, y2) else "")
        raise BadPrompt(
            f"item {item.id!r} at {place} px lies outside of its image, which has {frame.width} x {frame.height} px"
        )
    x1, x2, y1, y2 = *(clamp(x, frame.width) for x in (x1, x2)), *(clamp(y, frame.height) for y in (y1, y2))
    return Box(x1, y1, x2, y2) if x1 < x2 and y1 < y2 else Point((x1 + x2) / 2, (y1 + y2) / 2)


def _mask(item: DrawnItem, frame: ImageSize) -> Mask | None:
    """The painted pixels of a brush stroke or bitmask; None for everything else."""
    url = item.value.mask_data_url or item.value.image_data_url
    try:
        if bytes(item.value.rle) not in (b"", b"null"):
            return decode_rle(msgspec.json.decode(item.value.rle, type=list[int]), frame)
        return decode_png_mask(url, frame) if url else None
    except (BadPrompt, msgspec.MsgspecError) as error:
        raise BadPrompt(f"item {item.id!r}: {error}") from None
