"""Round numbers along an axis."""

import math


def ticks(most: float, about: int = 5) -> list[float]:
    """0 and round steps up to `most` or a little over it."""
    if not most > 0:
        return [0.0, 1.0]
    raw = most / about
    power = 10 ** math.floor(math.log10(raw))
    step = next(size * power for size in (1, 2, 2.5, 5, 10) if size * power >= raw)
    return [step * number for number in range(math.ceil(most / step) + 1)]


def decades(least: float, most: float) -> list[float]:
    """1, 2, 5, 10, ...: the last one below `least`, up to the first one over `most`."""
    marks = [digit * 10.0**power for power in range(-3, 7) for digit in (1, 2, 5)]
    below = max((mark for mark in marks if mark <= least), default=marks[0])
    above = min((mark for mark in marks if mark >= most), default=marks[-1])
    return [mark for mark in marks if below <= mark <= above]
