"""The test stand: makes clicks on every backend and on the floor, one right after the other, and checks the answers."""

import itertools
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

from benchmarks.backend import Answer, Backend, NotUp
from benchmarks.messages import Task, click
from benchmarks.overlap import overlap
from benchmarks.samples import Burst, Results, Sample
from benchmarks.scenes import Scene
from benchmarks.site import Site


class Stand:
    """Everything that a scenario needs; `floor` gives the ms of one run of what a click cannot be faster than."""

    def __init__(self, backends: Sequence[Backend], site: Site, floor: Callable[[], float]) -> None:
        self.backends, self.site = backends, site
        self.results = Results()
        self._floor = floor
        self._tasks = itertools.count(1)
        self._clicks = itertools.count()

    def task(self, scene: Scene) -> Task:
        """A new task, whose image no backend has seen."""
        return Task(next(self._tasks), self.site.put(scene.fresh()), scene)

    def next_click(self) -> int:
        """A click that was not made before."""
        return next(self._clicks)

    def warm(self, task: Task) -> None:
        """Clicks once, untimed, so that every backend that can keep the image has it."""
        for backend in self.backends:
            backend.post("/predict", click(task, self.next_click()))

    def try_out(self, task: Task) -> None:
        """Clicks once on every backend.

        Raises:
            NotUp: one of them cannot answer, for a reason such as that it may not fetch from 127.0.0.1.
        """
        for backend in self.backends:
            answer = backend.post("/predict", click(task, self.next_click()))
            if answer.status != 200:
                told = answer.content[-300:].decode(errors="replace")
                raise NotUp(f"{backend.url} answers a click with {answer.status or 'nothing'}: {told}")

    def click(self, scenario: str, task: Task, masks: Sequence[dict[str, Any]] = (), pause: float = 0) -> None:
        """One click, timed on every backend in turn, each after so many seconds of `pause`, then the floor at once."""
        number = self.next_click()
        body = click(task, number, masks)
        answers = []
        for backend in self.backends:
            time.sleep(pause)
            answers.append((backend, backend.post("/predict", body)))
        floor = self._floor()
        for backend, answer in answers:
            self.keep(scenario, backend, answer, (task, number), floor)

    def keep(self, scenario: str, backend: Backend, answer: Answer, asked: tuple[Task, int], floor: float) -> None:
        """Checks the answer to a click, and remembers how long it took."""
        task, number = asked
        right = overlap(answer, task.scene.mask(number)) if answer.status == 200 else 0.0
        size, stages = len(answer.content), answer.stages
        self.results.samples.append(Sample(scenario, backend.url, answer.ms, floor, answer.status, right, size, stages))

    def keep_burst(self, scenario: str, backend: Backend, rate: float, floor: float) -> None:
        """Remembers how many clicks a second were answered."""
        self.results.bursts.append(Burst(scenario, backend.url, rate, floor))

    def floor(self) -> float:
        """The floor's ms now; the median of three runs."""
        return statistics.median(self._floor() for _ in range(3))
