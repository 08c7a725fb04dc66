"""What a decoder answered last is not asked again; what was never asked, or was another prompt, is."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from server.core.embedding import ImageEmbedding
from server.core.geometry import ImageSize, Point
from server.core.prompt import Prompt
from server.core.tier_counts import TierCounts
from server.models.family import Tensors
from server.runtime.decoders import SplitDecoder
from server.runtime.model import SamModel
from server.runtime.recent import RecentAnswers
from server.runtime.session import Session
from server.weights.built import built_decoder
from tests.installed import installed
from tests.split import small_model
from tests.weights.closer import Desk

LARGE = ImageSize(1500, 2400)


class Counting:
    """A decoder that gives each run's number, or passes it on to `decoder`, and counts it."""

    name = "counting"

    def __init__(self, decoder: SplitDecoder | None = None) -> None:
        self.runs, self.prepared, self._decoder = 0, 0, decoder

    def run(self, embedding: ImageEmbedding, inputs: Tensors) -> Tensors:
        self.runs += 1
        return self._decoder.run(embedding, inputs) if self._decoder else {"number": np.array([self.runs])}

    def prepare(self, embedding: ImageEmbedding) -> None:
        self.prepared += 1

    @property
    def sessions(self) -> Mapping[str, Session]:
        return {}

    def tiers(self) -> list[TierCounts]:
        return []


def embedding() -> ImageEmbedding:
    return ImageEmbedding(ImageSize(4, 4), {"image_embeddings": np.zeros(1, np.float32)})


def asked(*points: tuple[float, float, int], mask: bool = False) -> Tensors:
    rows = np.array(points, np.float32)
    return {
        "point_coords": rows[None, :, :2],
        "point_labels": rows[None, :, 2],
        "has_mask_input": np.array([mask], np.float32),
    }


def test_a_prompt_that_comes_again_is_answered_without_a_run() -> None:
    recent, image = RecentAnswers(Counting()), embedding()
    answers = [recent.run(image, asked((1, 2, 1)))["number"][0] for _ in range(3)]
    assert answers == [1, 1, 1]


@pytest.mark.parametrize("other", [asked((1, 3, 1)), asked((1, 2, 0)), asked((1, 2, 1), (0, 0, -1))])
def test_another_prompt_is_run(other: Tensors) -> None:
    recent, image = RecentAnswers(Counting()), embedding()
    recent.run(image, asked((1, 2, 1)))
    assert recent.run(image, other)["number"][0] == 2


def test_the_same_prompt_on_another_image_is_run() -> None:
    recent, images = RecentAnswers(Counting()), (embedding(), embedding())
    assert [recent.run(image, asked((1, 2, 1)))["number"][0] for image in images] == [1, 2]


def test_a_mask_prompt_is_run_each_time() -> None:
    recent, image = RecentAnswers(Counting()), embedding()
    assert [recent.run(image, asked((1, 2, 1), mask=True))["number"][0] for _ in range(2)] == [1, 2]


def test_the_last_32_answers_are_remembered() -> None:
    counting, image = Counting(), embedding()
    recent = RecentAnswers(counting)
    for x in (*range(32), 0, 32):
        recent.run(image, asked((x, 2, 1)))
    assert counting.runs == 33
    recent.run(image, asked((0, 2, 1)))
    assert counting.runs == 33
    recent.run(image, asked((1, 2, 1)))
    assert counting.runs == 34


def test_images_are_prepared_by_the_decoder() -> None:
    counting = Counting()
    RecentAnswers(counting).prepare(embedding())
    assert counting.prepared == 1


def test_a_click_on_an_object_that_is_not_small_on_a_large_image_is_one_run_of_the_decoder(tmp_path: Path) -> None:
    manifest, store = installed(small_model, tmp_path)
    folder, graphs = built_decoder(manifest, store)
    model, counting = (
        SamModel(manifest, store.folder(manifest), 1),
        Counting(SplitDecoder(graphs, folder, manifest.preprocessing, 1)),
    )
    model.use(counting)
    desk = Desk(model, np.random.default_rng(3).integers(0, 256, (1500, 2400, 3), np.uint8), "large")
    runs = []
    clicks = (Point(1210, 605), Point(300, 700), Point(900, 50, positive=False))
    for count in (1, 2, 3):
        before = counting.runs
        assert desk.ask(Prompt(LARGE, clicks[:count]))
        runs.append(counting.runs - before)
    assert runs == [1, 1, 1]
