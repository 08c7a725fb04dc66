"""Several annotators at once, each on an image of their own, who click as soon as they have their answer."""

import time
from concurrent.futures import ThreadPoolExecutor

from benchmarks.backend import Answer, Backend
from benchmarks.cast import CROWDS, Cast
from benchmarks.messages import Task, click
from benchmarks.stand import Stand

_SECONDS = 1.5  # of a burst; clicks that were made in them are waited for

_Asked = tuple[Task, int]


def crowd_of(count: int) -> str:
    """The scenario's name."""
    return f"{count} annotator{'s' if count > 1 else ''}"


def crowds(stand: Stand, cast: Cast) -> None:
    """A burst of each size on each backend."""
    for count in CROWDS:
        for backend in stand.backends:
            burst(stand, backend, cast.crowd[:count], _SECONDS)


def burst(stand: Stand, backend: Backend, tasks: list[Task], seconds: float) -> None:
    """Clicks for some seconds, one annotator for each task."""
    scenario, before = crowd_of(len(tasks)), stand.floor()
    started = time.perf_counter()

    def annotate(task: Task) -> list[tuple[_Asked, Answer]]:
        answers = []
        while time.perf_counter() < started + seconds:
            number = stand.next_click()
            answers.append(((task, number), backend.post("/predict", click(task, number))))
        return answers

    with ThreadPoolExecutor(len(tasks)) as annotators:
        answered = [pair for pairs in annotators.map(annotate, tasks) for pair in pairs]
    took = time.perf_counter() - started
    floor = (before + stand.floor()) / 2
    stand.keep_burst(scenario, backend, sum(answer.status == 200 for _, answer in answered) / took, floor)
    for asked, answer in answered:  # checked only now: checking takes the cores that the backend works with
        stand.keep(scenario, backend, answer, asked, floor)
