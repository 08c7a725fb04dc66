"""Clicks beside what a backend may do in the background: encode an opened task's image, or those of a whole project."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.backend import Backend
from benchmarks.cast import USUAL, Cast
from benchmarks.messages import Task, click, deleted, opened
from benchmarks.samples import percentile
from benchmarks.scenarios import FIRST
from benchmarks.stand import Stand

OPENED, OPENED_NEXT = "opened task, first click", "opened task, next click"
CRAWL_KNOWN, CRAWL_NEW = "known image during a crawl", "new image during a crawl"

_CLICKS = 5  # in a block
_CRAWLED = 8  # images
_ENCODED = 3  # first clicks' times, after which an encode has ended
_PATIENCE = 3.0  # seconds until a backend that encodes in the background has asked for the image


def opened_task(stand: Stand, cast: Cast) -> None:
    """A task is opened; once its image can have been encoded, it is clicked on, and clicked on again."""
    for backend in stand.backends:
        floor = stand.floor()
        task = stand.task(cast.sizes[USUAL].scene)
        backend.post("/predict", opened([task]))
        if stand.site.is_fetched(task.image, _PATIENCE):
            time.sleep(_ENCODED * _one_encode(stand, backend))
        for scenario in (OPENED, OPENED_NEXT):
            _click(stand, backend, scenario, (task, floor))


def crawl(stand: Stand, cast: Cast) -> None:
    """ "Retrieve predictions" on many new tasks; clicks on a known image meanwhile, and one on a new one."""
    known = cast.sizes[USUAL]
    for backend in stand.backends:
        backend.post("/predict", click(known, stand.next_click()))
        floor = stand.floor()  # now, as it cannot be had beside the crawl
        with _crawling(stand, backend, [stand.task(known.scene) for _ in range(_CRAWLED)]):
            for _ in range(_CLICKS):
                _click(stand, backend, CRAWL_KNOWN, (known, floor))
            _click(stand, backend, CRAWL_NEW, (stand.task(known.scene), floor))


@contextmanager
def _crawling(stand: Stand, backend: Backend, tasks: list[Task]) -> Iterator[None]:
    """The backend has these tasks to predict; in the end they are deleted, and its last encode is waited for."""
    request = threading.Thread(target=backend.post, args=("/predict", opened(tasks)))
    request.start()
    stand.site.is_fetched(tasks[0].image, _PATIENCE)
    yield
    backend.post("/webhook", deleted(tasks))
    request.join()
    time.sleep(_ENCODED * _one_encode(stand, backend))


def _click(stand: Stand, backend: Backend, scenario: str, beside: tuple[Task, float]) -> None:
    (task, floor), number = beside, stand.next_click()
    answer = backend.post("/predict", click(task, number))
    stand.keep(scenario, backend, answer, (task, number), floor)


def _one_encode(stand: Stand, backend: Backend) -> float:
    """Seconds that the slowest first click took so far, which held an encode; 1 before there was one."""
    firsts = [sample.ms for sample in stand.results.of(FIRST.format(USUAL), backend.url)]
    return percentile(firsts, 100) / 1e3 if firsts else 1.0
