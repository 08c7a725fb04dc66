import io

import pytest

from server.progress import Progress
from tests.unit.stand_ins import Clock


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def shown(out: io.StringIO, total: int, *seen: tuple[float, int, int]) -> str:
    """What is shown for (second, done, failed), one after the other."""
    clock = Clock()
    progress = Progress("tasks", total, out, clock)
    for second, done, failed in seen:
        clock.now = 1000.0 + second
        progress.show(done, failed)
    progress.clear()
    return out.getvalue()


def test_a_log_gets_a_line_every_ten_seconds_with_rate_and_time_left() -> None:
    lines = shown(io.StringIO(), 7200, (0, 0, 0), (1, 2, 0), (9, 18, 0), (10, 20, 1), (15, 30, 1)).splitlines()
    assert lines == [
        "[------------------------] 0/7,200 tasks",
        "[------------------------] 20/7,200 tasks  2.0/s  0:59:50 left  1 failed",
    ]


def test_a_terminal_has_one_line_that_is_rewritten_and_goes_in_the_end() -> None:
    text = shown(Terminal(), 4, (0, 0, 0), (1, 1, 0), (1.1, 2, 0), (2, 2, 0))
    assert "\n" not in text
    assert [part.removesuffix("\x1b[K") for part in text.split("\r")[2:]] == [
        "[######------------------] 1/4 tasks  1.0/s  0:00:03 left",
        "[############------------] 2/4 tasks  1.0/s  0:00:02 left",
        "",
    ]


def test_the_rate_is_that_of_the_last_minute_as_what_is_there_already_goes_fast() -> None:
    seen = [(second, 10_000 + second, 0) for second in range(10, 200, 10)]
    assert shown(io.StringIO(), 20_000, (0, 0, 0), *seen).splitlines()[-1].split("  ")[1] == "1.0/s"


@pytest.mark.parametrize(("total", "line"), [(0, "1/1 tasks"), (1, "1/1 tasks")])
def test_tasks_that_were_added_meanwhile_are_no_more_than_all(total: int, line: str) -> None:
    assert f"[{'#' * 24}] {line}" in shown(io.StringIO(), total, (10, 1, 0))
