"""Plays all scenarios again and again, until the time is up."""

import random
import time
from collections.abc import Callable

from benchmarks.background import crawl, opened_task
from benchmarks.cast import Cast, assemble
from benchmarks.crowd import crowds
from benchmarks.scenarios import alternating, clicks_after_pauses, existing_masks, first_clicks, warm_clicks
from benchmarks.stand import Stand

Block = Callable[[Stand, Cast], None]

BLOCKS: tuple[Block, ...] = (
    first_clicks,
    warm_clicks,
    clicks_after_pauses,
    opened_task,
    crawl,
    crowds,
    alternating,
    existing_masks,
)
_AT_MOST = 3  # times the given seconds, for a backend that does not get through one round


def play(stand: Stand, seconds: float, tell: Callable[[str], None]) -> int:
    """Plays for about `seconds`, in the first round all blocks, and gives the number of full rounds.

    In the first round in their order, as the others need a first click's time; then in any: what comes after what
    differs from round to round.
    """
    started, order, shuffle = time.monotonic(), list(BLOCKS), random.Random(0).shuffle  # noqa: S311 - not a secret
    tell("drawing the pictures, and a click on each")
    cast, number = assemble(stand), 1
    while True:
        for block in order:
            elapsed = time.monotonic() - started
            if elapsed > (seconds if number > 1 else _AT_MOST * seconds):
                return number - 1
            tell(f"{elapsed:4.0f} of {seconds:.0f} s, round {number}: {block.__name__.replace('_', ' ')}")
            block(stand, cast)
        number += 1
        shuffle(order)
