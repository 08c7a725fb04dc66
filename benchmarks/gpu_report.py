"""A run of the GPU benchmark as a table, and as a picture."""

from collections.abc import Sequence

from PIL import Image

from benchmarks.bars import Frame
from benchmarks.gpu_timing import CLICK, CROWD, ENCODE, KEPT, Row
from benchmarks.lines import Line, lines
from benchmarks.paper import FAINT, Color, Paper
from benchmarks.table import text_table

_WIDTH, _HEIGHT, _MARGIN, _MIDDLE = 1900, 560, 40, 990  # px
_NAMES = 130  # px, beside those that a chart has for names: exports are called by more words
_COLORS: tuple[Color, ...] = ((31, 119, 180), (214, 69, 65), (126, 87, 194), (0, 137, 123), (242, 142, 43))
_HEADER = ("model", "encoder", "runs on", "what", "image", "callers", "p50 ms", "p95 ms", "p99 ms", "a second")


def table(rows: Sequence[Row]) -> str:
    """One line for each row."""
    return text_table(
        _HEADER,
        [
            (
                row.model,
                row.precision,
                row.provider.removesuffix("ExecutionProvider"),
                row.what,
                row.size,
                str(row.annotators),
                *(f"{ms:.2f}" for ms in (row.p50, row.p95, row.p99)),
                f"{row.per_second:.1f}",
            )
            for row in rows
        ],
    )


def picture(rows: Sequence[Row], machine: str) -> Image.Image:
    """Encodes and clicks by image size, and clicks by number of annotators; a colour for each model."""
    paper = Paper(_WIDTH, _HEIGHT)
    paper.text((_MARGIN, 36), "Encodes and clicks inside the server", 26)
    paper.text((_MARGIN, 66), machine, 15, FAINT)
    height = _HEIGHT - 150
    kept = f"{CLICK}, {KEPT}"
    steps = [(what, size) for what in (ENCODE, kept) for size in ("2 MP", "12 MP")]
    paper.text((_MARGIN, 110), "By step and image size: ms, p50; the band reaches up to p95", 15)
    _chart(paper, Frame(_MARGIN, 130, _MIDDLE - 2 * _MARGIN - _NAMES, height), rows, [(*step, 1) for step in steps])
    counts = sorted({row.annotators for row in rows if row.size == CROWD})
    paper.text((_MIDDLE, 110), "Clicks by number of annotators, each on an image of their own", 15)
    _chart(
        paper,
        Frame(_MIDDLE, 130, _WIDTH - _MIDDLE - _MARGIN - _NAMES, height),
        rows,
        [(kept, CROWD, count) for count in counts],
    )
    return paper.finished()


def _chart(paper: Paper, frame: Frame, rows: Sequence[Row], places: Sequence[tuple[str, str, int]]) -> None:
    found = {(row.model, row.what, row.size, row.annotators): row for row in rows}
    names = {row.model: f"{row.model}, {row.precision}" for row in rows}
    drawn = []
    for number, (model, name) in enumerate(names.items()):
        there = [found.get((model, *place)) for place in places]
        p50, p95 = ([getattr(row, field) if row else float("nan") for row in there] for field in ("p50", "p95"))
        drawn.append(Line(name, _COLORS[number % len(_COLORS)], p50, p95))
    named = [(what, f"{count} at once" if size == CROWD else size) for what, size, count in places]
    lines(paper, frame, named, drawn)
