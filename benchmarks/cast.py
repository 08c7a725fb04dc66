"""The tasks that the scenarios are played with."""

from dataclasses import dataclass
from typing import Any

from benchmarks.messages import Task, brush_masks
from benchmarks.scenes import draw_scene
from benchmarks.stand import Stand

SIZES = {"0.3 MP": (640, 480), "2 MP": (1920, 1080), "12 MP": (4000, 3000)}
USUAL = "2 MP"
CROWDS = (1, 2, 4, 8)  # annotators at once
_MASKS = 100


@dataclass(frozen=True)
class Cast:
    """Tasks whose images are known to every backend that keeps images.

    Attributes:
        sizes: by image size.
        crowd: of USUAL size, one for each annotator.
        masks: regions that a task of USUAL size has already.
    """

    sizes: dict[str, Task]
    crowd: list[Task]
    masks: list[dict[str, Any]]


def assemble(stand: Stand) -> Cast:
    """Draws all pictures, and clicks once on each, which also pays for whatever backends do only once.

    Raises:
        NotUp: a backend cannot answer a click.
    """
    sizes = {size: stand.task(draw_scene(*SIZES[size], seed)) for seed, size in enumerate(SIZES)}
    crowd = [stand.task(draw_scene(*SIZES[USUAL], 10 + number)) for number in range(max(CROWDS))]
    stand.try_out(sizes[USUAL])
    for task in (*sizes.values(), *crowd):
        stand.warm(task)
    return Cast(sizes, crowd, brush_masks(sizes[USUAL].scene, _MASKS))
