"""What only a GPU can show: that CUDA really runs the graphs, that replays answer as runs do, and as the CPU does."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from server.core.embedding import ImageEmbedding
from server.core.geometry import Box, Point
from server.core.prediction import MaskPrediction
from server.core.prompt import Prompt
from server.images.decode import decode_image
from server.runtime.gpu_versions import gpu_versions
from server.runtime.memory import DeviceFull
from server.runtime.model import SamModel
from server.runtime.session import Session
from server.settings import Settings
from tests.gpu.conftest import CUDA, model
from tests.graphs import tiny_model
from tests.overlap import overlap
from tests.spreading import spread, spreading

PICTURES = sorted((Path(__file__).parents[2] / "docs" / "pictures").glob("*.jpg"))[:3]

pytestmark = pytest.mark.gpu


@pytest.fixture(scope="module")
def embeddings(on_gpu: SamModel) -> list[ImageEmbedding]:
    return [on_gpu.encode(decode_image(path.read_bytes(), 10**9)) for path in PICTURES]


def prompts(embedding: ImageEmbedding) -> list[Prompt]:
    """Of one to twenty clicks, so of every captured shape and of none; and a box."""
    frame = embedding.size
    rng = np.random.default_rng(5)
    places = rng.uniform(0.2, 0.8, (20, 2)) * (frame.width, frame.height)
    clicks = [Point(x, y, positive=number % 3 != 1) for number, (x, y) in enumerate(places)]
    corners = (0.25 * frame.width, 0.3 * frame.height, 0.7 * frame.width, 0.8 * frame.height)
    counted = [Prompt(frame, tuple(clicks[:count])) for count in (1, 2, 3, 5, 7, 8, 12, 15, 16, 20)]
    return [*counted, Prompt(frame, box=Box(*corners)), Prompt(frame, tuple(clicks[:2]), Box(*corners))]


def refined(served: SamModel, embedding: ImageEmbedding) -> list[Prompt]:
    """The same, going on from the mask of the first click."""
    first, *rest = prompts(embedding)
    return [replace(prompt, previous=served.decode(embedding, first).low_res_logits) for prompt in rest]


def close(one: MaskPrediction, other: MaskPrediction, least: float) -> bool:
    return overlap(one.low_res_logits > 0, other.low_res_logits > 0) >= least


def test_cuda_runs_every_graph(on_gpu: SamModel) -> None:
    assert on_gpu.provider == CUDA
    assert list(on_gpu.nodes) == ["encoder", "image", "click", "click_with_mask"]
    for graph, counts in on_gpu.nodes.items():
        assert counts[CUDA] > 0.9 * sum(counts.values()), graph


def test_the_versions_of_driver_cuda_and_cudnn_are_told() -> None:
    assert {"driver", "driver_cuda", "cuda", "cudnn"} <= set(gpu_versions())


@pytest.mark.parametrize("number", range(len(PICTURES)))
def test_masks_are_those_of_the_cpu(on_gpu: SamModel, on_cpu: SamModel, number: int) -> None:
    image = decode_image(PICTURES[number].read_bytes(), 10**9)
    there, here = on_gpu.encode(image), on_cpu.encode(image)
    for prompt in prompts(here):
        assert overlap(on_gpu.decode(there, prompt).mask, on_cpu.decode(here, prompt).mask) >= 0.999


def test_replays_of_captured_runs_answer_as_the_cpus_decoder_on_the_same_embedding(
    on_gpu: SamModel, on_cpu: SamModel, embeddings: Sequence[ImageEmbedding]
) -> None:
    for embedding in (*embeddings, *embeddings):  # and again, once other images were at the same addresses
        for prompt in (*prompts(embedding), *refined(on_cpu, embedding)):
            assert close(on_gpu.decode(embedding, prompt), on_cpu.decode(embedding, prompt), 0.999)


def test_an_answer_is_the_same_every_time(on_gpu: SamModel, embeddings: Sequence[ImageEmbedding]) -> None:
    for prompt in prompts(embeddings[0]):
        first, again = (on_gpu.decode(embeddings[0], prompt).low_res_logits for _ in range(2))
        np.testing.assert_allclose(first, again, atol=1e-3)


def test_thirty_two_clicks_at_once_are_answered_as_alone(
    on_gpu: SamModel, embeddings: Sequence[ImageEmbedding]
) -> None:
    asked = [(embedding, prompt) for embedding in embeddings for prompt in prompts(embedding)][:32]
    alone = [on_gpu.decode(*one) for one in asked]
    with ThreadPoolExecutor(len(asked)) as annotators:
        together = list(annotators.map(lambda one: on_gpu.decode(*one), asked))
    assert all(close(*pair, least=0.9999) for pair in zip(alone, together, strict=True))


def test_clicks_are_right_while_images_are_encoded(on_gpu: SamModel, embeddings: Sequence[ImageEmbedding]) -> None:
    image, prompt = decode_image(PICTURES[0].read_bytes(), 10**9), prompts(embeddings[1])[0]
    alone = on_gpu.decode(embeddings[1], prompt)
    with ThreadPoolExecutor(2) as encoders:
        encodes = [encoders.submit(on_gpu.encode, image) for _ in range(8)]
        clicks = [on_gpu.decode(embeddings[1], prompt) for _ in range(40)]
        encoded = [encode.result().tensors["image_embeddings"].astype(np.float32) for encode in encodes]
    assert all(close(click, alone, 0.9999) for click in clicks)
    for tensor in encoded:
        np.testing.assert_allclose(tensor, encoded[0], atol=1e-3)


def test_images_that_nobody_waits_for_are_encoded_together_as_alone(tmp_path: Path) -> None:
    tiny = SamModel(tiny_model(tmp_path, images="images"), tmp_path, threads=1, provider="cuda")
    tiny.warm_up()
    assert tiny.encodes_at_once == 9  # two runs of four, and an urgent image
    images = [np.random.default_rng(seed).integers(0, 256, (48, 64, 3), np.uint8) for seed in range(32)]
    with ThreadPoolExecutor(8) as crawl:
        together = list(crawl.map(lambda image: tiny.encode(image, lambda: False), images))
    for image, embedding in zip(images, together, strict=True):
        alone = tiny.encode(image)
        one, other = (each.tensors["image_embeddings"].astype(np.float32) for each in (embedding, alone))
        np.testing.assert_allclose(one, other, atol=1e-4)


def test_a_run_goes_on_after_one_that_had_no_room(tmp_path: Path) -> None:
    graph = spreading(tmp_path / "spreading.onnx")
    session = Session(tmp_path / graph.file, graph, threads=1, provider="cuda")
    with pytest.raises(DeviceFull):
        spread(session, 48, 1 << 20)
    assert [spread(session, 48, 1) for _ in range(2)] == [7, 7]  # the first gives memory back


def test_what_clicks_need_stays_in_the_gpus_memory_within_its_bound(
    settings: Settings, embeddings: Sequence[ImageEmbedding]
) -> None:
    small = model(settings, "cuda", cache_bytes=32 << 20)  # two images of 14 MiB
    (before,) = small.tiers()
    for number in (0, 1, 0, 2, 0):
        small.decode(embeddings[number], prompts(embeddings[number])[0])
    (tier,) = small.tiers()
    assert (tier.tier, tier.hits - before.hits, tier.misses - before.misses) == ("gpu", 2, 3)
    assert 0 < (tier.bytes or 0) <= 32 << 20
