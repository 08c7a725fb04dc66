"""What Label Studio says was drawn (`params.context.result`), as the regions it asks for."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from server.core.geometry import Box, ImageSize, Point
from server.core.items import DrawnItem, labels_of
from server.core.prompt import Carving, Prompt
from server.core.shape import Shape
from server.core.sketch import sketch
from server.errors import BadPrompt

Labels = tuple[str, ...]

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
    labels: Labels = ()
    item_index: int | None = None
    image_rotation: float = 0.0
    item_ids: frozenset[str] = frozenset()


def gestures(items: Sequence[DrawnItem]) -> tuple[Gesture, ...]:
    """The regions that a context asks for; none when it is empty.

    Items of other images than the last item's are left out; items that share an id are one drawing. Clicks ask for
    one region together, with the last label among them. Boxes and shapes ask for one region each, with a label of its
    own where it has one, and a click counts for each of them. Negative clicks alone are a carving of a region that was
    answered before.

    Raises:
        BadPrompt: an item has no geometry that can be understood, lies outside of its image, or has an impossible
            image size.
    """
    if not items:
        return ()
    if len(items) > _MOST_ITEMS:
        raise BadPrompt(f"{len(items)} items were drawn; at most {_MOST_ITEMS} are taken at once")
    last = items[-1]
    items = _drawings([item for item in items if (item.to_name, item.item_index) == (last.to_name, last.item_index)])
    labels = next((labels for item in reversed(items) if (labels := labels_of(item.value))), ())
    frame = ImageSize(last.original_height, last.original_width)
    ids = frozenset(item.id for item in items if item.id)
    return tuple(
        Gesture(prompt, last.to_name, last.from_name, own or labels, last.item_index, last.image_rotation, ids)
        for prompt, own in _prompts(frame, items)
    )


def _drawings(items: Sequence[DrawnItem]) -> list[DrawnItem]:
    """The first item of each id, in order, with the label of any of them; an item without an id stands alone."""
    drawings: dict[str | int, DrawnItem] = {}
    for position, item in enumerate(items):
        first = drawings.setdefault(item.id or position, item)
        labels = labels_of(first.value) or labels_of(item.value)
        drawings[item.id or position] = replace(first, value=replace(first.value, labels=list(labels)))
    return list(drawings.values())


def _prompts(frame: ImageSize, items: Sequence[DrawnItem]) -> Iterator[tuple[Prompt | Carving, Labels]]:
    """The prompts, each with the label that is its own."""
    drawn = sketch(items, frame)
    clicks = tuple(dict.fromkeys(drawn.points))
    for area, labels in dict.fromkeys((area, labels_of(item.value)) for area, item in drawn.areas):
        yield _prompt(frame, clicks, area), labels
    if clicks and not drawn.areas:
        yield Prompt(frame, clicks) if any(click.positive for click in clicks) else Carving(frame, clicks), ()


def _prompt(frame: ImageSize, clicks: tuple[Point, ...], area: Box | Shape) -> Prompt:
    if isinstance(area, Box):
        return Prompt(frame, clicks, area)
    return Prompt(frame, (*clicks, area.inside), area.box, area.mask)
