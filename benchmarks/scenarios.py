"""What one annotator does, in short blocks of clicks."""

from benchmarks.cast import USUAL, Cast
from benchmarks.stand import Stand

FIRST, WARM = "first click, {}", "warm click, {}"
PAUSED = "warm click after a pause"
ALTERNATING = "two images alternating"
WITHOUT_MASKS, WITH_MASKS = "task without masks", "task with 100 masks"

_CLICKS = 5  # in a block
_PAUSE = 0.5  # s; annotators look before they click, and meanwhile processors fall asleep


def first_clicks(stand: Stand, cast: Cast) -> None:
    """One click on a new image of each size."""
    for size, known in cast.sizes.items():
        stand.click(FIRST.format(size), stand.task(known.scene))


def warm_clicks(stand: Stand, cast: Cast) -> None:
    """Clicks on one image of each size, after one that is not counted."""
    for size, task in cast.sizes.items():
        stand.warm(task)
        for _ in range(_CLICKS):
            stand.click(WARM.format(size), task)


def clicks_after_pauses(stand: Stand, cast: Cast) -> None:
    """Clicks on one image, as far apart as an annotator's are at least."""
    task = cast.sizes[USUAL]
    stand.warm(task)
    for _ in range(_CLICKS):
        stand.click(PAUSED, task, pause=_PAUSE)


def alternating(stand: Stand, cast: Cast) -> None:
    """Clicks on two images in turn."""
    for number in range(_CLICKS):
        stand.click(ALTERNATING, cast.crowd[number % 2])


def existing_masks(stand: Stand, cast: Cast) -> None:
    """The same click in a small request, and in one that brings the task's masks along."""
    task = cast.sizes[USUAL]
    stand.warm(task)
    for _ in range(_CLICKS):
        stand.click(WITHOUT_MASKS, task)
        stand.click(WITH_MASKS, task, cast.masks)
