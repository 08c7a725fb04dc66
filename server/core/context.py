"""What Label Studio says was drawn (`params.context.result`), as the regions it asks for."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from server.core.geometry import Box, ImageSize, Point
from server.core.items import DrawnItem, labels_of
from server.core.prompt import Carving, Prompt
from server.core.shape import Shape
from server.core.sketch import sketch
from server.errors import BadPrompt

_MOST_ITEMS = 256


@dataclass(frozen=True, slots=True)
class Gesture:
    """One asked-for region: the prompt, and what the answer must repeat of it.

    Attributes:
        item_ids: of the drawn items, which keep their ids when they are moved.
    """

    prompt: Prompt | Carving
    to_name: str
    from_name: str
    labels: tuple[str, ...] = ()
    item_index: int | None = None
    image_rotation: float = 0.0
    item_ids: frozenset[str] = frozenset()


def gestures(items: Sequence[DrawnItem]) -> tuple[Gesture, ...]:
    """The regions that a context asks for; none when it is empty.

    Items of other images than the last item's are left out; items that share an id are one drawing. Clicks ask for
    one region together. Boxes and shapes ask for one region each, and a click counts for each of them. Negative
    clicks alone are a carving of a region that was answered before.

    Raises:
        BadPrompt: an item has no geometry that can be understood, or an impossible image size.
    """
    if not items:
        return ()
    if len(items) > _MOST_ITEMS:
        raise BadPrompt(f"{len(items)} items were drawn; at most {_MOST_ITEMS} are taken at once")
    last = items[-1]
    twins = _twins([item for item in items if (item.to_name, item.item_index) == (last.to_name, last.item_index)])
    labels = next((labels for twin in reversed(twins) for item in twin if (labels := labels_of(item.value))), ())
    frame = ImageSize(last.original_height, last.original_width)
    ids = frozenset(first.id for first, *_ in twins if first.id)
    return tuple(
        Gesture(prompt, last.to_name, last.from_name, labels, last.item_index, last.image_rotation, ids)
        for prompt in _prompts(frame, [first for first, *_ in twins])
    )


def _twins(items: Sequence[DrawnItem]) -> list[list[DrawnItem]]:
    """Items grouped by id in order of appearance; an item without an id stands alone."""
    groups: dict[str | int, list[DrawnItem]] = {}
    for position, item in enumerate(items):
        groups.setdefault(item.id or position, []).append(item)
    return list(groups.values())


def _prompts(frame: ImageSize, items: Sequence[DrawnItem]) -> Iterator[Prompt | Carving]:
    drawn = sketch(items, frame)
    clicks = tuple(dict.fromkeys(drawn.points))
    for area in dict.fromkeys(drawn.areas):
        yield _prompt(frame, clicks, area)
    if clicks and not drawn.areas:
        yield Prompt(frame, clicks) if any(click.positive for click in clicks) else Carving(frame, clicks)


def _prompt(frame: ImageSize, clicks: tuple[Point, ...], area: Box | Shape) -> Prompt:
    if isinstance(area, Box):
        return Prompt(frame, clicks, area)
    return Prompt(frame, (*clicks, area.inside), area.box, area.mask)
