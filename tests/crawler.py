"""`samserve` with a tiny model in a process of its own: python -m tests.crawler GRAPHS LOG SECONDS WORDS...

It appends the sha256 of each image's pixels that it encodes to LOG, and takes so many seconds longer for it.
"""

import hashlib
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from server.cli import main
from server.core.embedding import Image, ImageEmbedding
from server.runtime.model import SamModel
from tests.graphs import tiny_model


class SlowModel(SamModel):
    """Encodes slowly, and writes down what."""

    def __init__(self, folder: Path, log: Path, seconds: float) -> None:
        super().__init__(tiny_model(folder), folder, threads=1)
        self._log, self._seconds = log, seconds

    def encode(self, image: Image, is_urgent: Callable[[], bool] = lambda: True) -> ImageEmbedding:
        time.sleep(self._seconds)
        with self._log.open("a") as log:
            log.write(hashlib.sha256(image.tobytes()).hexdigest() + "\n")
        return super().encode(image, is_urgent)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever tests in the background has it ignored
    graphs, log, seconds, *words = sys.argv[1:]
    model = SlowModel(Path(graphs), Path(log), float(seconds))
    pytest.MonkeyPatch().setattr("server.precompute_cli.load_model", lambda settings: model)
    main(words)
