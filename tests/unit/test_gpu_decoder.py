"""The decoder for GPUs, run on the CPU's own memory: the same code, the same onnxruntime, no copies."""

import threading
import weakref
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from structlog.testing import capture_logs

from server.core.embedding import ImageEmbedding
from server.core.geometry import ImageSize
from server.models.decoder_graphs import ABSENT, DecoderGraphs
from server.models.family import Tensors
from server.models.manifest import Graph, Preprocessing
from server.runtime.decoders import SplitDecoder
from server.runtime.device_tensor import HOST, Device, Kept
from server.runtime.fixed_clicks import COUNTS, count_for, filled_up
from server.runtime.gpu_decoder import GpuDecoder
from server.runtime.memory import DeviceFull
from server.runtime.session import Session
from server.weights.built import built_decoder
from tests.sam_decoder import WIDTH
from tests.split import GRID, INPUT_SIZE, small_model, stored

Built = tuple[Path, DecoderGraphs]
MIB = 1 << 20
HOW = Preprocessing(INPUT_SIZE, "longest_side_bilinear_antialias", (0.0,) * 3, (1.0,) * 3)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Built:
    return _built(tmp_path_factory.mktemp("plain"), padded=False)


@pytest.fixture(scope="module")
def padded(tmp_path_factory: pytest.TempPathFactory) -> Built:
    return _built(tmp_path_factory.mktemp("padded"), padded=True)


def _built(folder: Path, padded: bool) -> Built:
    (folder / "published").mkdir()
    manifest = small_model(folder / "published")
    return built_decoder(manifest, stored(manifest, folder / "published", folder / "weights"), padded)


class Arena:
    """A device's memory of some bytes, for what sessions leave there."""

    def __init__(self, size: int) -> None:
        self.size, self.used = size, 0

    def take(self, kept: Kept) -> None:
        for tensor in kept.values():
            self.used += tensor.nbytes
            weakref.finalize(tensor.value, self._give, tensor.nbytes)

    def _give(self, nbytes: int) -> None:
        self.used -= nbytes


class CrampedSession(Session):
    """Runs on a device of its own, which has only the arena."""

    def __init__(self, path: Path, graph: Graph, arena: Arena) -> None:
        super().__init__(path, graph, threads=1)
        self._arena = arena

    @property
    def device(self) -> Device:
        return ("cpu", 1)  # for onnxruntime the same as HOST

    def leave(self, tensors: Tensors, device: Device) -> Kept:
        kept = super().leave(tensors, HOST)
        if device == HOST:
            return kept
        if self._arena.used + sum(tensor.nbytes for tensor in kept.values()) > self._arena.size:
            raise DeviceFull("image.onnx has no room to run")
        self._arena.take(kept)
        return kept


def decoder(built: Built, max_bytes: int = 64 * MIB, arena: Arena | None = None) -> GpuDecoder:
    folder, graphs = built
    image, click, click_with_mask = (
        CrampedSession(folder / graph.file, graph, arena) if arena else Session(folder / graph.file, graph, threads=1)
        for graph in graphs.graphs
    )
    return GpuDecoder(image, click, click_with_mask, max_bytes)


def embedding(seed: int) -> ImageEmbedding:
    values = np.random.default_rng(seed).normal(size=(1, WIDTH, GRID, GRID)).astype(np.float32)
    return ImageEmbedding(ImageSize(INPUT_SIZE, INPUT_SIZE), {"image_embeddings": values})


def prompt(points: int, seed: int = 0, with_mask: bool = False) -> Tensors:
    rng = np.random.default_rng((points, seed))
    return {
        "point_coords": rng.uniform(0, INPUT_SIZE, (1, points, 2)).astype(np.float32),
        "point_labels": np.array([[1.0, *rng.integers(0, 2, points - 2), -1.0]], np.float32),
        "mask_input": rng.normal(0, 5, (1, 1, 4 * GRID, 4 * GRID)).astype(np.float32),
        "has_mask_input": np.array([with_mask], np.float32),
    }


def same(one: Tensors, other: Tensors) -> bool:
    return all(np.allclose(one[name], other[name], atol=1e-3) for name in ("low_res_masks", "iou_predictions"))


@pytest.mark.parametrize("with_mask", [False, True], ids=["without a mask", "with a mask"])
@pytest.mark.parametrize("points", [2, 3, 5, 9, 16, 17])
def test_it_answers_as_the_decoder_for_cpus(plain: Built, padded: Built, points: int, with_mask: bool) -> None:
    folder, graphs = plain
    image, asked = embedding(1), prompt(points, with_mask=with_mask)
    expected = SplitDecoder(graphs, folder, HOW, threads=1).run(image, asked)
    answered = decoder(padded).run(image, asked)
    logits, masks = (tensors["low_res_masks"].astype(np.float32) for tensors in (answered, expected))
    assert np.ptp(masks) > 1
    assert np.array_equal(logits > 0, masks > 0)
    assert same(answered, expected)


def test_an_answer_stays_what_it_was_when_others_follow(padded: Built) -> None:
    decoding, image = decoder(padded), embedding(1)
    first = decoding.run(image, prompt(2))
    masks = first["low_res_masks"].copy()
    decoding.run(embedding(2), prompt(2, seed=1))
    assert np.array_equal(first["low_res_masks"], masks)


def test_images_that_alternate_are_never_mixed_up(padded: Built) -> None:
    decoding, images = decoder(padded), [embedding(seed) for seed in range(3)]
    alone = [decoding.run(image, prompt(3)) for image in images]
    assert not same(alone[0], alone[1])
    for number in (0, 1, 0, 2, 1, 2):
        assert same(decoding.run(images[number], prompt(3)), alone[number])


def test_clicks_of_many_threads_at_once_are_answered_as_alone(padded: Built) -> None:
    decoding, images = decoder(padded), [embedding(seed) for seed in range(4)]
    asked = [(images[number % 4], prompt(2 + number % 9, number, with_mask=number % 3 == 0)) for number in range(32)]
    alone = [decoding.run(*one) for one in asked]
    with ThreadPoolExecutor(32) as annotators:
        together = list(annotators.map(lambda one: decoding.run(*one), asked))
    assert all(same(*pair) for pair in zip(alone, together, strict=True))


def test_what_is_kept_of_images_is_a_tier_with_a_bound(padded: Built) -> None:
    images = [embedding(seed) for seed in range(3)]
    one = decoder(padded)
    one.prepare(images[0])
    (size,) = [tier.bytes for tier in one.tiers()]
    assert size
    two = decoder(padded, max_bytes=2 * size)
    for number in (0, 1, 0, 2, 0, 1):
        two.run(images[number], prompt(2))
    (tier,) = two.tiers()
    assert (tier.tier, tier.hits, tier.misses, tier.bytes) == ("gpu", 2, 4, 2 * size)


def test_where_memory_runs_out_the_image_that_was_used_longest_ago_makes_room(padded: Built) -> None:
    images = [embedding(seed) for seed in range(3)]
    expected = [decoder(padded).run(image, prompt(2)) for image in images]
    arena = Arena(size=0)
    cramped = decoder(padded, arena=arena)
    arena.size = 2 * sum(tensor.nbytes for tensor in cramped.sessions["image"].leave(images[0].tensors, HOST).values())
    for number in (0, 1, 2, 0):
        assert same(cramped.run(images[number], prompt(2)), expected[number])
    (tier,) = cramped.tiers()
    assert (tier.misses, tier.dropped_writes) == (4, 0)
    assert arena.used <= arena.size


def test_where_there_is_no_room_for_a_single_image_clicks_are_answered_from_the_host_and_a_warning_says_so(
    padded: Built,
) -> None:
    cramped, image = decoder(padded, arena=Arena(size=0)), embedding(1)
    expected = decoder(padded).run(image, prompt(2))
    with capture_logs() as logs:
        assert same(cramped.run(image, prompt(2)), expected)
    (tier,) = cramped.tiers()
    assert (tier.bytes, tier.dropped_writes) == (0, 1)
    assert [line["way_out"] for line in logs] == ["lower SAMSERVE_GPU_CACHE_MIB"]


def test_every_shape_is_run_before_the_first_click_and_on_the_thread_that_clicks_run_on(
    padded: Built, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs: list[tuple[int, int]] = []
    replay = Session.replay

    def noted(self: Session, binding: object, number: int) -> None:
        runs.append((number, threading.get_ident()))
        replay(self, binding, number)

    monkeypatch.setattr(Session, "replay", noted)
    decoding = decoder(padded)
    assert sorted(number for number, _ in runs) == sorted(COUNTS * 4)  # twice, of both graphs
    decoding.run(embedding(1), prompt(3))
    assert runs[-1][0] == 4
    assert len({thread for _, thread in runs}) == 1
    assert runs[0][1] != threading.get_ident()


@pytest.mark.parametrize(("points", "count"), [(1, 2), (2, 2), (3, 4), (8, 8), (9, 16), (16, 16), (17, None)])
def test_prompts_are_filled_up_to_the_next_count(points: int, count: int | None) -> None:
    assert count_for(points) == count


def test_what_a_prompt_is_filled_up_with_is_absent() -> None:
    filled = filled_up(prompt(3), 4)
    assert filled["point_coords"].shape == (1, 4, 2)
    assert filled["point_labels"][0, 2:].tolist() == [-1.0, ABSENT]
    assert filled["point_labels"].dtype == np.float32
