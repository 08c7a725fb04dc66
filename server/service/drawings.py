"""What is drawn and not answered yet, and what of it a newer drawing makes pointless."""

from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(slots=True, eq=False)
class Drawing:
    """The ids of the drawn items of one request; `superseded` once a newer one holds all of them, and more."""

    item_ids: frozenset[str]
    superseded: bool = False


class Drawings:
    """The drawings under way, by scene: a task's image and what is drawn on it.

    The editor sends every item again with each one that is added, and shows only the newest answer; ids tell one
    annotator's items from another's. For one event loop; `superseded` may be read by any thread.
    """

    def __init__(self) -> None:
        self._under_way: dict[Hashable, list[Drawing]] = {}

    @contextmanager
    def enter(self, scene: Hashable, item_ids: frozenset[str]) -> Iterator[Drawing]:
        """A drawing that is under way while this lasts."""
        drawing = Drawing(item_ids)
        drawings = self._under_way.setdefault(scene, [])
        for older in drawings:
            if older.item_ids and older.item_ids < item_ids:
                older.superseded = True
        drawings.append(drawing)
        try:
            yield drawing
        finally:
            drawings.remove(drawing)
            if not drawings:
                del self._under_way[scene]
