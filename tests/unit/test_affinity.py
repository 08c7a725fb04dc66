"""Threads that clicks wait for have a core each, and nothing else is held to one."""

import os
from contextlib import suppress
from pathlib import Path

import pytest

from server.runtime.affinity import for_workers, kept_on, own_cores
from server.runtime.session import ClickSession, Session
from tests.graphs import tiny_model

pytestmark = pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="only Linux lets threads choose cores")


@pytest.fixture
def cores() -> list[int]:
    return sorted(os.sched_getaffinity(0))


def held_threads() -> set[int]:
    """Those of this process that may not run everywhere that it may."""
    everywhere, held = os.sched_getaffinity(0), set[int]()
    for task in (int(path.name) for path in Path("/proc/self/task").iterdir()):
        with suppress(ProcessLookupError):  # it ended meanwhile
            held |= {task} if os.sched_getaffinity(task) < everywhere else set()
    return held


def test_a_graph_with_as_many_threads_as_there_are_cores_has_them_all(cores: list[int]) -> None:
    assert own_cores(len(cores)) == (tuple(cores) if len(cores) > 1 else ())
    assert own_cores(len(cores) + 1) == ()
    assert own_cores(1) == ()


def test_onnxruntime_is_told_the_workers_cores_counted_from_one() -> None:
    assert for_workers((0, 3, 4)) == "4;5"


def test_a_thread_is_back_everywhere_after_a_run_that_fails_too(cores: list[int]) -> None:
    seen = list[int]()

    def run() -> None:
        with kept_on(tuple(cores)):
            seen.extend(os.sched_getaffinity(0))
            raise KeyError

    with pytest.raises(KeyError):
        run()
    assert seen == cores[:1]
    assert sorted(os.sched_getaffinity(0)) == cores


def test_a_core_that_is_not_to_be_had_holds_up_no_run(cores: list[int]) -> None:
    with kept_on((10**4,)):
        assert sorted(os.sched_getaffinity(0)) == cores
    assert sorted(os.sched_getaffinity(0)) == cores


def test_a_system_that_lets_no_thread_choose_holds_up_no_run(monkeypatch: pytest.MonkeyPatch, cores: list[int]) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "sched_setaffinity", refuse)
    with kept_on(tuple(cores)):
        pass


def test_workers_are_held_where_clicks_wait_for_them_only(tmp_path: Path, cores: list[int]) -> None:
    graph = tiny_model(tmp_path).decoder
    before = held_threads()
    encodes = Session(tmp_path / graph.file, graph, len(cores), "cpu")
    few = ClickSession(tmp_path / graph.file, graph, len(cores) + 1, "cpu")
    assert not held_threads() - before
    clicks = ClickSession(tmp_path / graph.file, graph, len(cores), "cpu")
    assert len(held_threads() - before) == (len(cores) - 1 if len(cores) > 1 else 0)
    del encodes, clicks, few
