"""A line that says how far something is: rewritten in place on a terminal, else a new one now and then."""

import time
from collections import deque
from collections.abc import Callable
from datetime import timedelta
from typing import TextIO

_TERMINAL_SECONDS, _LINE_SECONDS = 0.2, 10.0  # between two lines
_WINDOW_SECONDS = 60.0  # the rate is that of the last minute: what is there already goes faster than what is not
_BAR = 24


class Progress:
    """Shows `done` of `total` on `out`."""

    def __init__(self, noun: str, total: int, out: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._noun, self._total, self._out, self._clock = noun, total, out, clock
        self._in_place = out.isatty()
        self._seen = deque([(clock(), 0)])  # (second, done), of the last minute
        self._due = self._seen[0][0]

    def show(self, done: int, failed: int) -> None:
        """So many are done, of which so many failed."""
        now = self._clock()
        if now < self._due:
            return
        self._due = now + (_TERMINAL_SECONDS if self._in_place else _LINE_SECONDS)
        self._seen.append((now, done))
        while self._seen[0][0] < now - _WINDOW_SECONDS and len(self._seen) > 2:
            self._seen.popleft()
        self._write(self._line(done, failed))

    def clear(self) -> None:
        """The line goes, where it is rewritten in place; what comes next has the place for itself."""
        if self._in_place:
            self._out.write("\r\x1b[K")
            self._out.flush()

    def _write(self, line: str) -> None:
        self._out.write(f"\r{line}\x1b[K" if self._in_place else f"{line}\n")
        self._out.flush()

    def _line(self, done: int, failed: int) -> str:
        total = max(self._total, done)  # there may be new ones
        full = _BAR * done // total if total else _BAR
        parts = [f"[{'#' * full}{'-' * (_BAR - full)}] {done:,}/{total:,} {self._noun}"]
        (since, before), (now, _) = self._seen[0], self._seen[-1]
        if done > before and now > since:
            rate = (done - before) / (now - since)
            parts += [f"{rate:.1f}/s", f"{timedelta(seconds=round((total - done) / rate))} left"]
        if failed:
            parts.append(f"{failed:,} failed")
        return "  ".join(parts)
