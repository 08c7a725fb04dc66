"""Several GPUs: each image is encoded on the first that is free."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from server.runtime.encoders import Encoders
from tests.graphs import INPUT_SIZE, tiny_model
from tests.held_session import HeldSession
from tests.waiting import eventually

PICTURE = {"image": np.full((1, 3, INPUT_SIZE, INPUT_SIZE), 0.5, np.float32)}


def sessions(folder: Path, count: int) -> list[HeldSession]:
    graph = tiny_model(folder).encoder
    return [HeldSession(folder / graph.file, graph) for _ in range(count)]


def release(held: Sequence[HeldSession]) -> None:
    for session in held:
        session.go.set()


def test_an_image_goes_to_the_gpu_that_is_free(tmp_path: Path) -> None:
    held = sessions(tmp_path, 2)
    encoders = Encoders(held)
    with ThreadPoolExecutor(3) as threads:
        first = threads.submit(encoders.run, PICTURE)
        assert eventually(lambda: any(session.runs for session in held))
        free, busy = sorted(held, key=lambda session: len(session.runs))
        second = threads.submit(encoders.run, PICTURE)
        assert eventually(lambda: len(free.runs) == 1)
        free.go.set()
        second.result()
        third = threads.submit(encoders.run, PICTURE)
        assert eventually(lambda: len(free.runs) == 2)
        release(held)
        one, other = (run.result()["image_embeddings"] for run in (first, third))
    assert np.array_equal(one, other)
    assert len(busy.runs) == 1


def test_a_gpu_encodes_one_image_at_a_time(tmp_path: Path) -> None:
    held = sessions(tmp_path, 1)
    encoders = Encoders(held)
    with ThreadPoolExecutor(4) as threads:
        runs = [threads.submit(encoders.run, PICTURE) for _ in range(4)]
        assert eventually(lambda: len(held[0].runs) == 1)
        release(held)
        for run in runs:
            run.result()
    assert (len(held[0].runs), held[0].most) == (4, 1)


def test_every_gpu_is_warmed_up(tmp_path: Path) -> None:
    held = sessions(tmp_path, 3)
    release(held)
    outputs = Encoders(held).run_everywhere(PICTURE)
    assert [session.runs for session in held] == [[1], [1], [1]]
    assert outputs["image_embeddings"].mean() > 0
