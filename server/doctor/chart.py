"""What an examination finds, step by step."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

import msgspec

from server.errors import SamserveError

T = TypeVar("T")


class Finding(msgspec.Struct, frozen=True):
    """One step: how it went, what was seen, what to do about it, and how long it took in milliseconds."""

    step: str
    state: Literal["ok", "warning", "failed"]
    seen: str
    advice: str = ""
    ms: float = 0.0


@dataclass(frozen=True, slots=True)
class Seen(Generic[T]):
    """What a step that succeeded gives to the next ones, and tells; with advice it is a warning."""

    value: T
    text: str
    advice: str = ""


class StepFailed(Exception):
    """A step failed, so those that need it cannot be tried. The chart has the finding."""


class Chart:
    """Collects findings, and shows each to `show` as it is made."""

    def __init__(self, show: Callable[[Finding], None]) -> None:
        self._show = show
        self.findings: list[Finding] = []

    @property
    def is_healthy(self) -> bool:
        """Whether no step failed."""
        return all(finding.state != "failed" for finding in self.findings)

    async def step(self, name: str, work: Awaitable[Seen[T]]) -> T:
        """The value of a step.

        Raises:
            StepFailed: `work` raised a SamserveError, whose message is the finding.
        """
        started = time.perf_counter()
        try:
            seen = await work
        except SamserveError as error:
            self._add(Finding(name, "failed", str(error), ms=_since(started)))
            raise StepFailed(name) from error
        self._add(Finding(name, "warning" if seen.advice else "ok", seen.text, seen.advice, _since(started)))
        return seen.value

    def note(self, finding: Finding) -> None:
        """Adds what was seen without trying anything."""
        self._add(finding)

    def _add(self, finding: Finding) -> None:
        self.findings.append(finding)
        self._show(finding)


def _since(started: float) -> float:
    return round((time.perf_counter() - started) * 1e3, 1)
