"""A real session on a tiny graph whose runs can be held up, and which may have room for few images."""

import threading
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from server.models.family import Tensors
from server.models.manifest import Graph
from server.runtime.memory import DeviceFull
from server.runtime.session import Session


class HeldSession(Session):
    """Runs while `go` is set.

    Attributes:
        runs: how many images each run had, those included that had no room.
        corners: a value of the first image of each run.
        most: how many runs there were at once.
    """

    def __init__(self, path: Path, graph: Graph, room: int = 8) -> None:
        super().__init__(path, graph, threads=1)
        self.go, self.runs, self.corners = threading.Event(), list[int](), list[float]()
        self.most, self._inside, self._room = 0, 0, room

    def run(self, tensors: Tensors) -> dict[str, NDArray[np.generic]]:
        self.runs.append(len(tensors["image"]))
        self.corners.append(float(tensors["image"][0, 0, 0, 0]))
        self._inside += 1
        self.most = max(self.most, self._inside)
        assert self.go.wait(20)
        self._inside -= 1
        if len(tensors["image"]) > self._room:
            raise DeviceFull("encoder.onnx has no room to run")
        return super().run(tensors)
