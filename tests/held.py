"""A real, tiny model whose encoder can be held up, and tells what it encoded."""

import threading
from collections.abc import Callable
from pathlib import Path

from server.core.embedding import Image, ImageEmbedding
from server.runtime.model import SamModel
from tests.graphs import tiny_model


class HeldModel(SamModel):
    """Encodes while `go` is set.

    Attributes:
        begun: heights of the images whose encoding began, in order; tests give each image its own.
    """

    def __init__(self, folder: Path, images: int | str = 1) -> None:
        super().__init__(tiny_model(folder, images=images), folder, threads=1)
        self.begun: list[int] = []
        self.go = threading.Event()
        self.go.set()

    def encode(self, image: Image, is_urgent: Callable[[], bool] = lambda: True) -> ImageEmbedding:
        self.begun.append(image.shape[0])
        assert self.go.wait(20)
        return super().encode(image, is_urgent)
