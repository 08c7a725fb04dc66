"""Several GPUs: each image is encoded on the one that has the least to do."""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from server.models.family import Tensors
from server.models.manifest import Graph
from server.runtime.encoders import Encoders
from server.runtime.session import Session
from tests.graphs import INPUT_SIZE, tiny_model
from tests.waiting import eventually

PICTURE = {"image": np.full((1, 3, INPUT_SIZE, INPUT_SIZE), 0.5, np.float32)}


class HeldSession(Session):
    """A real session that waits for `go`, and counts the runs that are in it."""

    def __init__(self, path: Path, graph: Graph) -> None:
        super().__init__(path, graph, threads=1)
        self.go, self.begun, self.inside, self.most = threading.Event(), 0, 0, 0

    def run(self, tensors: Tensors) -> dict[str, NDArray[np.generic]]:
        self.begun += 1
        self.inside += 1
        self.most = max(self.most, self.inside)
        assert self.go.wait(20)
        self.inside -= 1
        return super().run(tensors)


def sessions(folder: Path, count: int) -> list[HeldSession]:
    graph = tiny_model(folder).encoder
    return [HeldSession(folder / graph.file, graph) for _ in range(count)]


def release(held: Sequence[HeldSession]) -> None:
    for session in held:
        session.go.set()


def test_an_image_goes_to_the_gpu_with_the_fewest_under_way(tmp_path: Path) -> None:
    busy, free = held = sessions(tmp_path, 2)
    encoders = Encoders(held)
    with ThreadPoolExecutor(3) as threads:
        first = threads.submit(encoders.run, PICTURE)
        assert eventually(lambda: busy.begun == 1)
        second = threads.submit(encoders.run, PICTURE)
        assert eventually(lambda: free.begun == 1)
        free.go.set()
        second.result()
        third = threads.submit(encoders.run, PICTURE)
        assert eventually(lambda: free.begun == 2)
        release(held)
        one, other = (run.result()["image_embeddings"] for run in (first, third))
    assert np.array_equal(one, other)
    assert busy.begun == 1


def test_a_gpu_encodes_one_image_at_a_time(tmp_path: Path) -> None:
    held = sessions(tmp_path, 1)
    encoders = Encoders(held)
    with ThreadPoolExecutor(4) as threads:
        runs = [threads.submit(encoders.run, PICTURE) for _ in range(4)]
        assert eventually(lambda: held[0].begun == 1)
        release(held)
        for run in runs:
            run.result()
    assert (held[0].begun, held[0].most) == (4, 1)


def test_every_gpu_is_warmed_up(tmp_path: Path) -> None:
    held = sessions(tmp_path, 3)
    release(held)
    outputs = Encoders(held).run_everywhere(PICTURE)
    assert [session.begun for session in held] == [1, 1, 1]
    assert outputs["image_embeddings"].mean() > 0
