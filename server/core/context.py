"""What Label Studio says was drawn (`params.context.result`), turned into prompts in image pixels."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec

from server.core.geometry import Box, ImageSize, Point, clamp, rotated_rectangle
from server.core.prompt import Prompt
from server.errors import BadPrompt


class DrawnValue(msgspec.Struct, frozen=True):
    """The `value` of one drawn item: all lengths in percent of the image, angles in degrees clockwise."""

    x: float | None = None
    y: float | None = None
    width: float | None = None
    height: float | None = None
    radius_x: float | None = msgspec.field(default=None, name="radiusX")
    radius_y: float | None = msgspec.field(default=None, name="radiusY")
    rotation: float = 0.0
    points: list[tuple[float, float]] | None = None
    rle: msgspec.Raw = msgspec.Raw()  # brush strokes can be megabytes, and are read only where they are used
    labels: list[str] | None = None
    keypointlabels: list[str] | None = None
    rectanglelabels: list[str] | None = None
    ellipselabels: list[str] | None = None
    polygonlabels: list[str] | None = None
    brushlabels: list[str] | None = None


class DrawnItem(msgspec.Struct, frozen=True):
    """One item of `context.result`, as the editor serializes it."""

    from_name: str
    to_name: str
    original_width: int
    original_height: int
    value: DrawnValue
    id: str = ""
    is_positive: bool = True
    item_index: int | None = None
    image_rotation: float = 0.0


@dataclass(frozen=True, slots=True)
class Gesture:
    """One asked-for region: the prompt, and what the answer must repeat of it."""

    prompt: Prompt
    to_name: str
    from_name: str
    labels: tuple[str, ...] = ()
    item_index: int | None = None
    image_rotation: float = 0.0


@dataclass(slots=True)
class _Drawing:
    points: list[Point] = field(default_factory=list)
    boxes: list[Box] = field(default_factory=list)


def gestures(items: Sequence[DrawnItem]) -> tuple[Gesture, ...]:
    """The regions that a context asks for; none when it holds no positive click and no shape.

    Items of other images than the last item's are left out; items that share an id are one drawing. Clicks ask for
    one region together. Boxes ask for one region each, and a click counts for each box when there are both.

    Raises:
        BadPrompt: an item has no geometry that can be understood, or an impossible image size.
    """
    if not items:
        return ()
    last = items[-1]
    twins = _twins([item for item in items if (item.to_name, item.item_index) == (last.to_name, last.item_index)])
    frame = ImageSize(last.original_height, last.original_width)
    drawing = _Drawing()
    for first, *_ in twins:
        _draw(first, frame, drawing)
    points = tuple(dict.fromkeys(drawing.points))
    labels = next((labels for twin in reversed(twins) if (labels := _labels(twin))), ())
    boxes: list[Box | None] = [*dict.fromkeys(drawing.boxes)] or [None]
    return tuple(
        Gesture(Prompt(frame, points, box), last.to_name, last.from_name, labels, last.item_index, last.image_rotation)
        for box in boxes
        if box is not None or any(point.positive for point in points)
    )


def _twins(items: Sequence[DrawnItem]) -> list[list[DrawnItem]]:
    """Items grouped by id in order of appearance; an item without an id stands alone."""
    groups: dict[str | int, list[DrawnItem]] = {}
    for position, item in enumerate(items):
        groups.setdefault(item.id or position, []).append(item)
    return list(groups.values())


def _labels(twins: Sequence[DrawnItem]) -> tuple[str, ...]:
    for value in (item.value for item in twins):
        for labels in (value.labels, value.keypointlabels, value.rectanglelabels, value.ellipselabels,
                       value.polygonlabels, value.brushlabels):  # fmt: skip
            if labels:
                return tuple(labels)
    return ()


def _draw(item: DrawnItem, frame: ImageSize, drawing: _Drawing) -> None:
    """Adds one item's points or box to `drawing`; what is drawn is known by its value's keys, as the editor does."""
    value = item.value
    if bytes(value.rle) not in (b"", b"null"):
        raise BadPrompt(
            f"item {item.id!r}: brush strokes are not understood as prompts yet; use key points or a rectangle"
        )
    outline = _outline(value, frame)
    if outline is None:
        drawing.points.append(_point(item, frame))
        return
    x1, x2 = (clamp(edge([x for x, _ in outline]), frame.width) for edge in (min, max))
    y1, y2 = (clamp(edge([y for _, y in outline]), frame.height) for edge in (min, max))
    if x1 < x2 and y1 < y2:
        drawing.boxes.append(Box(x1, y1, x2, y2))
    else:
        drawing.points.append(Point((x1 + x2) / 2, (y1 + y2) / 2, item.is_positive))


def _outline(value: DrawnValue, frame: ImageSize) -> list[tuple[float, float]] | None:
    """Corners in pixels whose hull holds the shape; None for a key point."""
    across, down = frame.width / 100, frame.height / 100
    if value.points is not None:
        return [(x * across, y * down) for x, y in value.points] or None
    if value.x is None or value.y is None:
        return None
    x, y = value.x * across, value.y * down
    if value.radius_x is not None and value.radius_y is not None:
        rx, ry = value.radius_x * across, value.radius_y * down
        corners = rotated_rectangle(0, 0, 2 * rx, 2 * ry, value.rotation)
        centre_x, centre_y = (sum(c[axis] for c in corners) / 4 for axis in (0, 1))
        return [(x + cx - centre_x, y + cy - centre_y) for cx, cy in corners]
    if value.width is not None and value.height is not None:
        return rotated_rectangle(x, y, value.width * across, value.height * down, value.rotation)
    return None


def _point(item: DrawnItem, frame: ImageSize) -> Point:
    x, y = item.value.x, item.value.y
    if x is None or y is None:
        raise BadPrompt(f"item {item.id!r} has no geometry: expected x and y, x, y, width and height, or points")
    return Point(clamp(x, 100) * frame.width / 100, clamp(y, 100) * frame.height / 100, item.is_positive)
