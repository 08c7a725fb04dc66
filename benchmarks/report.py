"""A run as tables: one for each backend, where its time goes, the targets, and backends side by side."""

import math
from collections.abc import Callable, Iterator, Sequence

from benchmarks.samples import Results, Summary, median, paired
from benchmarks.table import Row, markdown_table, number, text_table
from benchmarks.targets import targets

_HEADER = ("ms", "clicks", "p50", "p95", "/ floor", "errors", "wrong", "least IoU", "KiB", "clicks/s", "/ floor's")

Table = Callable[[Row, Sequence[Row]], str]


def report(results: Results, backends: dict[str, str], markdown: bool) -> str:
    """All tables; `backends` are names by URL, the first is the one that the others are compared with."""
    table = markdown_table if markdown else text_table
    parts = [part for url, name in backends.items() for part in _of_backend(results, url, name, table)]
    first, *peers = backends
    parts += [_side_by_side(results, first, peer, table) for peer in peers]
    return "\n\n".join(parts)


def _of_backend(results: Results, url: str, name: str, table: Table) -> Iterator[str]:
    summaries = [results.summary(scenario, url) for scenario in results.scenarios()]
    yield f"{name} at {url}"
    yield table(_HEADER, [_row(summary) for summary in summaries])
    names = list(dict.fromkeys(stage for summary in summaries for stage in summary.stages))
    if names:
        rows = [
            (summary.scenario, *(number(summary.stages.get(stage, math.nan)) for stage in names))
            for summary in summaries
        ]
        yield table(("mean ms, by Server-Timing", *names), rows)
    yield table(
        ("target", "is", "should be", ""),
        [
            (
                target.name,
                number(target.measured, 2),
                f"{'>=' if target.at_least else '<='} {target.bound:g}",
                "" if math.isnan(target.measured) else "met" if target.is_met else "missed",
            )
            for target in targets(results, url)
        ],
    )


def _row(summary: Summary) -> Row:
    return (
        summary.scenario,
        str(summary.clicks),
        number(summary.p50),
        number(summary.p95),
        number(summary.to_floor, 2),
        str(summary.errors),
        str(summary.wrong),
        number(summary.overlap, 3),
        number(summary.kib),
        number(summary.rate),
        number(summary.rate_to_floor, 2),
    )


def _side_by_side(results: Results, first: str, peer: str, table: Table) -> str:
    rows = []
    for scenario in results.scenarios():
        one, other = results.summary(scenario, first), results.summary(scenario, peer)
        times = median(b / a for a, b in paired(results.of(scenario, first), results.of(scenario, peer)))
        rows.append((scenario, number(one.p50), number(other.p50), number(times), f"{one.errors} : {other.errors}"))
    return table((f"{first} : {peer}", "p50", "p50", "times as fast", "errors"), rows)
