"""A chart of stacked bars: where each millisecond goes."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.axis import ticks
from benchmarks.paper import FAINT, GRID, INK, Color, Paper

COLORS: dict[str, Color] = {
    "parse": (118, 183, 178),
    "wait": (255, 157, 167),
    "fetch": (237, 201, 72),
    "decode": (225, 87, 89),
    "encode": (78, 121, 167),
    "queue": (176, 122, 161),
    "decoder": (242, 142, 43),
    "postprocess": (89, 161, 79),
    "result": (156, 117, 95),
    "other": (200, 204, 210),
}
_ROW, _BAR, _NAMES, _NUMBERS = 34, 20, 215, 60  # px


@dataclass(frozen=True)
class Frame:
    """Where a chart is: its left upper corner, and its width and height."""

    left: float
    top: float
    width: float
    height: float


def bars(paper: Paper, frame: Frame, rows: Sequence[tuple[str, Mapping[str, float]]], floor: float) -> None:
    """One bar of stages for each row, in ms; `floor` is marked, unless it is NaN."""
    left, bottom = frame.left + _NAMES, frame.top + _ROW * len(rows)
    marks = ticks(max((sum(stages.values()) for _, stages in rows), default=1.0))
    scale = (frame.width - _NAMES - _NUMBERS) / marks[-1]
    for mark in marks:
        paper.line([(left + mark * scale, frame.top), (left + mark * scale, bottom)], GRID)
        paper.text((left + mark * scale, bottom + 14), f"{mark:g}", 13, FAINT, "mm")
    middles = [frame.top + _ROW * (number + 0.5) for number in range(len(rows))]
    ends = [
        _bar(paper, (left, middle), [(stage, ms * scale) for stage, ms in stages.items()])
        for middle, (_, stages) in zip(middles, rows, strict=True)
    ]
    if not math.isnan(floor):
        paper.dashes((left + floor * scale, frame.top - 6), (left + floor * scale, bottom), INK)
        paper.text((left + floor * scale, frame.top - 14), f"bare decoder {floor:.0f}", 13, INK, "mm")
    for middle, end, (name, stages) in zip(middles, ends, rows, strict=True):
        paper.text((left - 10, middle), name, 15, INK, "rm")
        paper.text((end + 8, middle), f"{sum(stages.values()):.0f}", 15, INK)


def _bar(paper: Paper, start: tuple[float, float], stages: Sequence[tuple[str, float]]) -> float:
    """Draws one, and gives where it ends."""
    end, middle = start
    for stage, width in stages:
        paper.bar(end, middle - _BAR / 2, max(0.0, width), _BAR, COLORS.get(stage, FAINT))
        end += max(0.0, width)
    return end


def legend(paper: Paper, place: tuple[float, float], stages: Sequence[str]) -> None:
    """The colors of the stages, in one line."""
    x, y = place
    for stage in stages:
        paper.bar(x, y - 7, 14, 14, COLORS.get(stage, FAINT))
        paper.text((x + 20, y), stage, 14, INK)
        x += 40 + paper.width_of(stage, 14)
