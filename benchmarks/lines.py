"""A chart of lines over a few places that are named: latency by image size, or by number of annotators."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from benchmarks.axis import decades
from benchmarks.bars import Frame
from benchmarks.paper import FAINT, GRID, Color, Paper, paler

_MARKS, _NAMES, _PLACES = 52, 165, 48  # px: left, right, below


@dataclass(frozen=True)
class Line:
    """p50, and p95 as the upper edge of a band, at each place; NaN where nothing was measured."""

    name: str
    color: Color
    p50: Sequence[float]
    p95: Sequence[float] = ()
    is_reference: bool = False  # dashed, without numbers


def lines(paper: Paper, frame: Frame, places: Sequence[tuple[str, str]], drawn: Sequence[Line]) -> None:
    """Milliseconds, on a logarithmic axis; `places` are named in two lines each."""
    values = [value for line in drawn for value in (*line.p50, *line.p95) if value > 0]
    marks = decades(min(values, default=1), max(values, default=10))
    left, right = frame.left + _MARKS, frame.left + frame.width - _NAMES
    bottom = frame.top + frame.height - _PLACES
    scale = _Scale(left, right, frame.top, bottom, marks)
    for mark in marks:
        paper.line([(left, scale.y(mark)), (right, scale.y(mark))], GRID)
        paper.text((left - 8, scale.y(mark)), f"{mark:g}", 13, FAINT, "rm")
    for number, words in enumerate(places):
        for row, text in enumerate(words):
            paper.text((scale.x(number, len(places)), bottom + 16 + 18 * row), text, 14 - row, FAINT, "mm")
    for line in drawn:
        _band(paper, scale, line)
    for line in drawn:
        _line(paper, scale, line)
    _names(paper, scale, drawn)


@dataclass(frozen=True)
class _Scale:
    left: float
    right: float
    top: float
    bottom: float
    marks: Sequence[float]

    def x(self, number: int, count: int) -> float:
        return self.left + (self.right - self.left) * (number + 0.5) / count

    def y(self, value: float) -> float:
        span = math.log(self.marks[-1] / self.marks[0]) or 1.0
        return self.bottom - (self.bottom - self.top) * math.log(value / self.marks[0]) / span

    def through(self, values: Sequence[float]) -> list[tuple[float, float]]:
        return [(self.x(number, len(values)), self.y(value)) for number, value in enumerate(values) if value > 0]


def _band(paper: Paper, scale: _Scale, line: Line) -> None:
    if line.p95:
        edge = [*scale.through(line.p95), *reversed(scale.through(line.p50))]
        if len(edge) > 2:
            paper.area(edge, paler(line.color, 0.16))


def _line(paper: Paper, scale: _Scale, line: Line) -> None:
    places = scale.through(line.p50)
    if line.is_reference:
        for start, end in pairwise(places):
            paper.dashes(start, end, line.color)
        return
    if len(places) > 1:
        paper.line(places, line.color, 2.5)
    for place, value in zip(places, [value for value in line.p50 if value > 0], strict=True):
        paper.dot(place, line.color)
        paper.text((place[0], place[1] - 15), f"{value:.0f}", 13, line.color, "mm")


def _names(paper: Paper, scale: _Scale, drawn: Sequence[Line]) -> None:
    """Beside each line's end, moved apart where they would meet."""
    ends = [(places[-1][1], line) for line in drawn if (places := scale.through(line.p50))]
    last = float("-inf")
    for y, line in sorted(ends, key=lambda end: end[0]):
        last = max(y, last + 18)
        paper.text((scale.right + 4, last), line.name, 14, line.color)
