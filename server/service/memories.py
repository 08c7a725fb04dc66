"""The masks that were answered lately: what was marked for each, and where it lies."""

from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import ceil, floor

from server.core.crop import Crop
from server.core.embedding import EmbeddingKey
from server.core.geometry import Box, ImageSize, Point
from server.core.look import Look
from server.core.prediction import Logits, Mask
from server.core.prompt import Prompt

_CAPACITY = 256  # masks remembered, of some 320 KiB each
_SECONDS = 1800.0  # for how long
_THUMBNAIL = 256  # longest side of a remembered mask in pixels

Scene = tuple[object, ...]
Marks = frozenset[Point | Box]


@dataclass(frozen=True, slots=True, eq=False)
class Memory:
    """One answered mask.

    Attributes:
        prompt: the marks alone, on the whole image; neither what was drawn nor the mask before.
        logits: of what was looked at: the crop, or the whole image.
        thumbnail: (h, w) bool, the mask there in steps.
        image: what the whole image's embedding is kept under.
        crop: the part that was looked at; None for all of the image.
        item_ids: the drawn items that asked for it.
        base: the mask that it was carved out of.
    """

    prompt: Prompt
    from_name: str
    region_id: str
    logits: Logits
    thumbnail: Mask
    image: EmbeddingKey
    crop: Crop | None
    item_ids: frozenset[str]
    base: Marks | None
    made: float

    @property
    def marks(self) -> Marks:
        """Its clicks and its box."""
        return marks(self.prompt)

    def covers(self, point: Point) -> bool:
        """Whether the mask lies under `point`, which is on the whole image; no further from it than a step."""
        frame = self.crop.size if self.crop else self.prompt.frame
        there = self.crop.point(point, self.prompt.frame) if self.crop else point
        if not (0 <= there.x <= frame.width and 0 <= there.y <= frame.height):
            return False
        height, width = self.thumbnail.shape
        row = min(floor(there.y * height / frame.height), height - 1)
        column = min(floor(there.x * width / frame.width), width - 1)
        reach = int(_step(frame) > 1)  # what lies between the steps is not in the thumbnail
        near = self.thumbnail[max(0, row - reach) : row + reach + 1, max(0, column - reach) : column + reach + 1]
        return bool(near.any())


class Memories:
    """The last masks of each scene (a task's image and a label), bounded in number and in age; for one thread."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._memories: OrderedDict[tuple[Scene, str, Marks], Memory] = OrderedDict()

    def put(self, scene: Scene, memory: Memory) -> None:
        """Remembers a mask as the newest of its scene, instead of an older one of the same marks."""
        key = (scene, memory.from_name, memory.marks)
        self._memories[key] = memory
        self._memories.move_to_end(key)
        if len(self._memories) > _CAPACITY:
            self._memories.popitem(last=False)

    def extended(self, scene: Scene, from_name: str, wanted: Marks, look: Look) -> Memory | None:
        """The mask of the most marks of the control `from_name` among those of which `wanted` holds all, and more.

        Its logits are of what is looked at.
        """
        held = [
            memory
            for memory in self._newest_first(scene, look.key)
            if memory.from_name == from_name and memory.crop == look.crop and memory.marks < wanted
        ]
        return max(held, key=lambda memory: len(memory.marks), default=None)

    def last(self, scene: Scene, image: EmbeddingKey) -> list[Memory]:
        """The masks, newest first, that were not refined since."""
        last: list[Memory] = []
        for memory in self._newest_first(scene, image):
            if not any(memory.from_name == newer.from_name and memory.marks < newer.marks for newer in last):
                last.append(memory)
        return last

    def base(self, scene: Scene, memory: Memory) -> Memory | None:
        """The mask that `memory` was carved out of, if it is still known."""
        return None if memory.base is None else self._memories.get((scene, memory.from_name, memory.base))

    def now(self) -> float:
        """Seconds on the clock that memories age by."""
        return self._clock()

    def _newest_first(self, scene: Scene, image: EmbeddingKey) -> Iterator[Memory]:
        oldest = self._clock() - _SECONDS
        for (where, *_), memory in reversed(self._memories.items()):
            if where == scene and memory.made >= oldest and memory.image == image:
                yield memory


def marks(prompt: Prompt) -> Marks:
    """A prompt's clicks and its box."""
    return frozenset((*prompt.points, prompt.box) if prompt.box else prompt.points)


def thumbnail(mask: Mask, frame: ImageSize) -> Mask:
    """(h, w) bool, at most 256 px long: every n-th pixel of a mask of `frame`'s size."""
    step = _step(frame)
    return mask[::step, ::step].copy()


def _step(frame: ImageSize) -> int:
    return ceil(frame.longest / _THUMBNAIL)
