"""A ring as the vertices of Label Studio's closed Vector."""

from server.core.identifier import new_id
from server.core.polygon import Percents


def vertices(ring: Percents) -> list[dict[str, object]]:
    """Each vertex names the one before it, the first none."""
    ids = [new_id() for _ in ring]
    return [
        {"id": own, "x": x, "y": y, "prevPointId": previous, "isBezier": False}
        for own, previous, (x, y) in zip(ids, [None, *ids], ring, strict=False)
    ]
