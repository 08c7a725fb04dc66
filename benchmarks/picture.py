"""A run as a picture: where each millisecond goes, latency by image size, and by number of annotators."""

import math
from collections.abc import Sequence

from PIL import Image

from benchmarks.background import CRAWL_KNOWN, CRAWL_NEW, OPENED
from benchmarks.bars import COLORS, Frame, bars, legend
from benchmarks.cast import CROWDS, SIZES
from benchmarks.crowd import crowd_of
from benchmarks.lines import Line, lines
from benchmarks.paper import FAINT, INK, Color, Paper
from benchmarks.samples import Results, Summary
from benchmarks.scenarios import ALTERNATING, FIRST, WARM, WITH_MASKS, WITHOUT_MASKS

_WIDTH, _HEIGHT, _MARGIN, _MIDDLE = 1640, 960, 40, 900  # px
_LEFT, _RIGHT = 780, 700  # widths
_UPPER, _LOWER = 110, 530
_FAST = (*(WARM.format(size) for size in SIZES), ALTERNATING, WITHOUT_MASKS, WITH_MASKS, OPENED)
_SLOW = (*(FIRST.format(size) for size in SIZES), CRAWL_NEW, CRAWL_KNOWN)
_BACKENDS: tuple[Color, ...] = ((31, 119, 180), (214, 69, 65), (126, 87, 194), (0, 137, 123))


def draw(results: Results, backends: dict[str, str], machine: str) -> Image.Image:
    """The picture; bars are of the first backend, lines of all (`backends`: names by URL)."""
    paper = Paper(_WIDTH, _HEIGHT)
    first, *_ = backends
    paper.text((_MARGIN, 36), f"A click on {backends[first]}", 26)
    paper.text((_MARGIN, 66), machine, 15, FAINT)
    _milliseconds(paper, results, first)
    _latencies(paper, results, backends)
    return paper.finished()


def _milliseconds(paper: Paper, results: Results, backend: str) -> None:
    """The upper half."""
    _title(paper, (_MARGIN, _UPPER), "Where each millisecond goes", "mean ms over HTTP, by Server-Timing")
    bars(paper, Frame(_MARGIN, _UPPER + 50, _LEFT, 0), _rows(results, backend, _FAST), results.floor_ms)
    _title(paper, (_MIDDLE, _UPPER), "With an encode, or beside one", "the same, on another scale")
    bars(paper, Frame(_MIDDLE, _UPPER + 50, _RIGHT, 0), _rows(results, backend, _SLOW), math.nan)
    legend(paper, (_MIDDLE, _UPPER + 270), [stage for stage in COLORS if stage != "other"])
    legend(paper, (_MIDDLE, _UPPER + 298), ["other"])
    paper.text((_MIDDLE + 70, _UPPER + 298), "(HTTP, the client, and what the server does not tell)", 14, FAINT)


def _latencies(paper: Paper, results: Results, backends: dict[str, str]) -> None:
    """The lower half."""
    floor, (first, *_) = results.floor_ms, backends
    _title(paper, (_MARGIN, _LOWER), "By image size", "ms, p50; the band reaches up to p95")
    sizes = [(size, "{} x {}".format(*SIZES[size])) for size in SIZES]
    bare = Line("bare decoder", INK, [floor] * len(SIZES), is_reference=True)
    frame = Frame(_MARGIN, _LOWER + 40, _LEFT, _HEIGHT - _LOWER - 60)
    lines(paper, frame, sizes, [*_by_size(results, backends), bare])
    _title(
        paper, (_MIDDLE, _LOWER), "By number of annotators", "each on an image of their own; answered clicks/s below"
    )
    in_turn = Line("bare decoders in turn", INK, [floor * count for count in CROWDS], is_reference=True)
    frame = Frame(_MIDDLE, _LOWER + 40, _RIGHT, _HEIGHT - _LOWER - 60)
    lines(paper, frame, _crowds(results, first), [*_by_crowd(results, backends), in_turn])


def _title(paper: Paper, place: tuple[float, float], words: str, note: str) -> None:
    left, top = place
    paper.text((left, top), words, 19)
    paper.text((left + paper.width_of(words, 19) + 12, top + 2), note, 14, FAINT)


def _rows(results: Results, backend: str, scenarios: Sequence[str]) -> list[tuple[str, dict[str, float]]]:
    """In the stages' order; what a backend does not tell is all "other"."""
    rows = []
    for summary in (results.summary(scenario, backend) for scenario in scenarios if results.of(scenario, backend)):
        told = summary.stages or ({"other": summary.p50} if summary.clicks > summary.errors else {})
        order = [*(stage for stage in COLORS if stage in told), *(stage for stage in told if stage not in COLORS)]
        rows.append((summary.scenario, {stage: told[stage] for stage in order}))
    return rows


def _by_size(results: Results, backends: dict[str, str]) -> list[Line]:
    return [
        _line(f"{kind} {_short(backends, url)}", color, [results.summary(name.format(size), url) for size in SIZES])
        for (url, color) in zip(backends, _BACKENDS, strict=False)
        for kind, name in (("first,", FIRST), ("warm,", WARM))
    ]


def _by_crowd(results: Results, backends: dict[str, str]) -> list[Line]:
    return [
        _line(_short(backends, url), color, [results.summary(crowd_of(count), url) for count in CROWDS])
        for url, color in zip(backends, _BACKENDS, strict=False)
    ]


def _line(name: str, color: Color, summaries: Sequence[Summary]) -> Line:
    return Line(name, color, [one.p50 for one in summaries], [one.p95 for one in summaries])


def _crowds(results: Results, backend: str) -> list[tuple[str, str]]:
    return [(str(count), f"{results.summary(crowd_of(count), backend).rate:.0f}/s") for count in CROWDS]


def _short(backends: dict[str, str], url: str) -> str:
    """The first word of a backend's name; its port too where names are alike."""
    word = backends[url].split()[0]
    alike = sum(name.split()[0] == word for name in backends.values()) > 1
    return f"{word} :{url.rpartition(':')[2]}" if alike else word
