"""Timing one model's encodes and clicks inside this process."""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import msgspec
import numpy as np

from benchmarks.precision import precision
from benchmarks.scenes import draw_scene
from server.core.context import Gesture
from server.core.embedding import Image, ImageEmbedding
from server.core.geometry import Point
from server.core.labelconfig import ControlTag
from server.core.options import AnswerOptions
from server.core.prompt import Prompt
from server.core.region import regions
from server.images.decode import decode_image
from server.models.family import Tensors
from server.runtime.batches import takes_several
from server.runtime.fast_decoder import fast_decoder
from server.runtime.gpu import Gpu
from server.runtime.memory import DeviceFull
from server.runtime.model import SamModel
from server.runtime.session import Session
from server.settings import Settings
from server.weights.built import built_decoder
from server.weights.store import GraphStore, find_manifest

SIZES = {"2 MP": (1920, 1080), "12 MP": (4000, 3000)}
ENCODE, ENCODER, CLICK = "encode", "encoder alone, {} at once", "click"
_BATCHES = (1, 4, 8)  # several only where the graph takes as many; the server runs 1 or 4
KEPT, FROM_RAM, CROWD = "kept", "from RAM", "crowd, 2 MP"
_BITMASK = ControlTag("Bitmask", "mask", ("image",), ())
_NOTHING_KEPT = 1  # byte


@dataclass(frozen=True)
class Loaded:
    """One model as it is served, and with a decoder that keeps nothing of an image; its encoder's graph alone.

    Attributes:
        precision: of the encoder's weights.
    """

    model: SamModel
    keeping_nothing: SamModel
    encoder: Session
    precision: str


@dataclass(frozen=True)
class Seen:
    """An image that was encoded, and where it is clicked on."""

    embedding: ImageEmbedding
    point: Point


@dataclass(frozen=True)
class Row:
    """What was timed, `per_second` of it in all, and how long each took in ms; `precision` is the encoder's."""

    model: str
    precision: str
    provider: str
    what: str
    size: str
    annotators: int
    p50: float
    p95: float
    p99: float
    per_second: float

    def told(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)

    def line(self) -> str:
        """For whoever waits."""
        where = f"{self.model}, {self.precision}, {self.what}, {self.size}, {self.annotators} at once"
        return f"{where}: p50 {self.p50:.2f} ms"


def load(name: str, settings: Settings) -> Loaded:
    """A model, warm, with its fast decoder.

    Raises:
        ModelUnusable: its graphs are not here, or the provider does not run them.
    """
    store = GraphStore(settings.cache_path / "weights")
    manifest = find_manifest(name, store.root)
    graph, gpu = manifest.encoder, Gpu(settings.gpus[0], settings.cache_path / "tensorrt")
    path = store.folder(manifest) / graph.file
    encoder = Session(path, graph, settings.cores, settings.provider, gpu)
    kept, nothing = (_model(name, settings, size) for size in (settings.gpu_cache_mib << 20, _NOTHING_KEPT))
    return Loaded(kept, nothing, encoder, precision(path))


def _model(name: str, settings: Settings, cache_bytes: int) -> SamModel:
    store = GraphStore(settings.cache_path / "weights")
    manifest = find_manifest(name, store.root)
    gpus = [Gpu(number, settings.cache_path / "tensorrt", cache_bytes) for number in settings.gpus]
    model = SamModel(manifest, store.folder(manifest), settings.cores, settings.provider, gpus)
    folder, graphs = built_decoder(manifest, store, padded=True)
    model.use(fast_decoder(graphs, folder, manifest.preprocessing, settings.cores, settings.provider, gpus[0]))
    return model


def measure(loaded: Loaded, annotators: Sequence[int], repeats: int) -> Iterator[Row]:
    """Encodes, then clicks of one annotator by image size and by where the image's tensors are, then crowds."""
    model = loaded.model
    for batch, pictures in _batches(loaded.encoder):
        run = partial(loaded.encoder.run, pictures)
        with suppress(DeviceFull):  # for so many
            yield _row(loaded, ENCODER.format(batch), "input", _timed([run], max(3, repeats // 4)))
    for size, (width, height) in SIZES.items():
        pixels, point = _scene(width, height, 1)
        yield _row(loaded, ENCODE, size, _timed([partial(model.encode, pixels)], max(3, repeats // 4)))
        seen = Seen(model.encode(pixels), point)
        for served, where in ((model, KEPT), (loaded.keeping_nothing, FROM_RAM)):
            yield _row(loaded, f"{CLICK}, {where}", size, _crowd(served, [seen], repeats))
    crowd = [_seen(model, seed) for seed in range(max(annotators))]
    for count in annotators:
        yield _row(loaded, f"{CLICK}, {KEPT}", CROWD, _crowd(model, crowd[:count], repeats))


def _row(loaded: Loaded, what: str, size: str, timed: tuple[list[list[float]], float]) -> Row:
    by_caller, took = timed
    every = [seconds for of_one in by_caller for seconds in of_one]
    p50, p95, p99 = np.percentile(np.array(every) * 1e3, (50, 95, 99))
    numbers = len(by_caller), p50, p95, p99, len(every) / took
    return Row(loaded.model.version, loaded.precision, loaded.model.provider, what, size, *numbers)


def _crowd(model: SamModel, crowd: Sequence[Seen], repeats: int) -> tuple[list[list[float]], float]:
    """Each caller clicks on an image of its own; all share one thread that decodes, as in the server."""
    for seen in crowd:
        model.prepare(seen.embedding)
    with ThreadPoolExecutor(1) as decoder:
        return _timed([partial(_click, decoder, model, seen) for seen in crowd], repeats)


def _click(decoder: Executor, model: SamModel, seen: Seen) -> bytes:
    return decoder.submit(_answer, model, seen).result()


def _answer(model: SamModel, seen: Seen) -> bytes:
    prompt = Prompt(seen.embedding.size, (seen.point,))
    gesture = Gesture(prompt, "image", _BITMASK.name)
    answer = regions(model.decode(seen.embedding, prompt), "r", gesture, _BITMASK, AnswerOptions())
    return msgspec.json.encode(answer)


def _timed(callers: Sequence[Callable[[], object]], repeats: int) -> tuple[list[list[float]], float]:
    """Seconds of each call by caller, all of whom call at once, and seconds in all; two calls before do not count."""

    def many(call: Callable[[], object]) -> list[float]:
        return [_seconds(call) for _ in range(repeats)]

    for call in callers:
        call()
        call()
    with ThreadPoolExecutor(len(callers)) as threads:
        started = time.perf_counter()
        by_caller = list(threads.map(many, callers))
        return by_caller, time.perf_counter() - started


def _seconds(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def _batches(encoder: Session) -> Iterator[tuple[int, Tensors]]:
    """Inputs of one image, and of several where the graph gives as many."""
    ((name, shape),) = encoder.input_shapes.items()
    for batch in _BATCHES if takes_several(encoder) else _BATCHES[:1]:
        yield batch, {name: np.zeros((batch, *map(int, shape[1:])), np.float32)}


def _seen(model: SamModel, seed: int) -> Seen:
    pixels, point = _scene(*SIZES["2 MP"], seed)
    return Seen(model.encode(pixels), point)


def _scene(width: int, height: int, seed: int) -> tuple[Image, Point]:
    """A picture, and a place on an object."""
    scene = draw_scene(width, height, seed)
    x, y = scene.place(0)
    return decode_image(scene.jpeg, 10**9), Point(x * width / 100, y * height / 100)
