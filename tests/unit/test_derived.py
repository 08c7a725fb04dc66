"""Tensors derived of embeddings: once each, within bounds, for no longer than the embedding lives."""

import threading
import time

import numpy as np

from server.core.embedding import ImageEmbedding
from server.core.geometry import ImageSize
from server.runtime.derived import Arrays, DerivedTensors

KIB = 1 << 10


class Recorder:
    """Derives 1 KiB of each embedding, and remembers of which ones."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.asked: list[float] = []
        self._seconds = seconds

    def __call__(self, embedding: ImageEmbedding) -> Arrays:
        value = float(embedding.tensors["value"][0])
        self.asked.append(value)
        time.sleep(self._seconds)
        return {"twice": np.full(KIB // 4, 2 * value, np.float32)}


def embedding(value: float) -> ImageEmbedding:
    return ImageEmbedding(ImageSize(4, 4), {"value": np.array([value], np.float32)})


def test_an_embeddings_tensors_are_derived_once() -> None:
    recorder, image = Recorder(), embedding(3)
    derived = DerivedTensors(4 * KIB, recorder)
    assert derived.of(image)["twice"][0] == 6
    assert derived.of(image)["twice"][0] == 6
    assert recorder.asked == [3]


def test_equal_embeddings_are_different_images() -> None:
    recorder, images = Recorder(), (embedding(3), embedding(3))
    derived = DerivedTensors(4 * KIB, recorder)
    for image in images:
        derived.of(image)
    assert recorder.asked == [3, 3]


def test_the_least_recently_used_go_when_the_bound_is_reached() -> None:
    recorder, images = Recorder(), [embedding(value) for value in range(3)]
    derived = DerivedTensors(2 * KIB, recorder)
    for number in (0, 1, 0, 2, 0, 1):
        derived.of(images[number])
    assert recorder.asked == [0, 1, 2, 1]
    assert derived.nbytes == 2 * KIB


def test_tensors_larger_than_the_bound_are_given_but_not_kept() -> None:
    recorder, image = Recorder(), embedding(3)
    derived = DerivedTensors(KIB - 1, recorder)
    assert derived.of(image)["twice"][0] == 6
    assert derived.nbytes == 0


def test_tensors_of_an_embedding_that_is_gone_are_dropped() -> None:
    derived, image = DerivedTensors(4 * KIB, Recorder()), embedding(1)
    derived.of(embedding(0))
    derived.of(image)
    assert derived.nbytes == KIB


def test_threads_that_ask_at_once_share_one_derivation() -> None:
    recorder, image = Recorder(seconds=0.05), embedding(3)
    derived, found = DerivedTensors(4 * KIB, recorder), []
    threads = [threading.Thread(target=lambda: found.append(derived.of(image)["twice"][0])) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (found, recorder.asked) == ([6] * 4, [3])
