"""What kinds of prompts were drawn, in the words that a log takes."""

from collections import Counter
from collections.abc import Sequence

from server.core.items import DrawnItem


def kinds(items: Sequence[DrawnItem]) -> dict[str, int]:
    """How many of each kind were drawn; items that share an id count once."""
    drawings = {item.id or position: item for position, item in reversed([*enumerate(items)])}
    return dict(sorted(Counter(_kind(item) for item in drawings.values()).items()))


def _kind(item: DrawnItem) -> str:
    value = item.value
    if bytes(value.rle) not in (b"", b"null") or value.mask_data_url:
        return "brush"
    if value.image_data_url:
        return "bitmask"
    if value.points:
        return "polygon"
    if value.radius_x is not None:
        return "ellipse"
    if value.width is not None and value.height is not None:
        return "box"
    return "click" if item.is_positive else "negative"
