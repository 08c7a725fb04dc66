"""How long the stock encoder and samserve's own take, and how far their masks are apart.

python -m benchmarks.encoder [--repeats 15] [--threads 1 2] [--quality FOLDER]

Times the graphs alone, after `samserve weights pull`. They take turns, so that whatever else the machine does hits all
of them. A row gives the median, the median of the ratios to the stock one's, and the same ratio of processor time (of
all threads; what else runs matters less to it). With --quality (a folder with images/, masks/ and index.json) a second
table follows: the IoU of masks, as they are served, with those of the stock encoder; clicks are the robot user's, as it
clicks with the stock encoder, and ten random clicks and five random boxes per photograph.
"""

import argparse
import os
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.decoder import iou, timed
from server.core.embedding import Image, ImageEmbedding
from server.core.geometry import Box, ImageSize, Point
from server.core.prediction import Mask
from server.core.prompt import Prompt
from server.environment import read_settings
from server.images.decode import decode_image
from server.models import sam
from server.models.manifest import Manifest
from server.runtime.decoders import SplitDecoder
from server.runtime.encoder import Encoder
from server.runtime.model import SamModel
from server.runtime.session import Session
from server.weights.built import built_decoder, built_encoder
from server.weights.store import GraphStore, find_manifest
from tests.weights.robot import Click, Object, click_ious, objects

PHOTO = Path(__file__).parents[1] / "docs" / "pictures" / "coffee.jpg"
TIMES, MASKS = "{:>7} {:>6} {:>8} {:>6} {:>6}", "{:>6} {:>13} {:>7} {:>7} {:>7} {:>7} {:>7} {:>7}"
CLICKS = (1, 2, 3, 5, 10)


def main() -> None:
    """Prints a row per number of threads and encoder, then a row per encoder and kind of prompt."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--quality", type=Path, metavar="FOLDER", help="compare masks on these photographs")
    arguments = parser.parse_args()
    settings = read_settings(os.environ)
    store = GraphStore(settings.cache_path / "weights")
    manifest = find_manifest("mobile_sam", store.root)
    print(TIMES.format("threads", "graph", "ms", "ratio", "CPU"))
    for threads in arguments.threads:
        compare_times(manifest, encoders(manifest, store, threads), threads, arguments.repeats)
    if arguments.quality:
        compare_masks(manifest, store, settings.cores, arguments.quality)


def encoders(manifest: Manifest, store: GraphStore, threads: int) -> dict[str, Session]:
    """All of them by name, on the CPU."""
    stock = Session(store.folder(manifest) / manifest.encoder.file, manifest.encoder, threads, "cpu")
    sessions = {"stock": stock}
    for name in ("fast", "int8"):
        built = built_encoder(manifest, store, int8=name == "int8")
        if built is None:
            raise SystemExit(f"{manifest.encoder.file} is no TinyViT")
        folder, graphs = built
        sessions[name] = Session(folder / graphs.encoder.file, graphs.encoder, threads, "cpu")
    return sessions


def compare_times(manifest: Manifest, sessions: Mapping[str, Session], threads: int, repeats: int) -> None:
    """Prints a row per encoder."""
    inputs = sam.encoder_inputs(decode_image(PHOTO.read_bytes(), 10**9), manifest.preprocessing)
    runs = [[timed(partial(session.run, inputs)) for session in sessions.values()] for _ in range(repeats + 1)]
    seconds = np.array(runs)[1:]  # (repeats, encoders, clocks)
    ratios = np.median(seconds / seconds[:, :1], axis=0)
    for name, median, (wall, processor) in zip(sessions, np.median(seconds[..., 0], axis=0), ratios, strict=True):
        print(TIMES.format(threads, name, f"{median * 1e3:.0f}", f"{wall:.2f}", f"{processor:.2f}"), flush=True)


def compare_masks(manifest: Manifest, store: GraphStore, threads: int, folder: Path) -> None:
    """Prints a row per encoder and kind of prompt."""
    models = {name: served(manifest, store, threads, name) for name in ("stock", "fast", "int8")}
    overlaps: dict[tuple[str, str], list[float]] = defaultdict(list)
    things = defaultdict(list)
    for thing in objects(folder):
        things[thing.photo].append(thing)
    for number, photo in enumerate(things):
        pixels: Image = decode_image(photo.read_bytes(), 10**9)
        embeddings = {name: model.encode(pixels) for name, model in models.items()}
        for kind, prompt in prompts(models["stock"], embeddings["stock"], things[photo], number):
            expected = models["stock"].decode(embeddings["stock"], prompt).mask
            for name in ("fast", "int8"):
                answered = models[name].decode(embeddings[name], prompt).mask
                overlaps[name, kind].append(iou(expected, answered))
                overlaps[name, "all"].append(iou(expected, answered))
    print(MASKS.format("graph", "prompt", "n", "mean", "median", "5 %", "least", "< 0.9"))
    for (name, kind), values in sorted(overlaps.items()):
        shown = [np.mean(values), np.median(values), np.percentile(values, 5), min(values)]
        few = sum(value < 0.9 for value in values)
        print(MASKS.format(name, kind, len(values), *(f"{value:.4f}" for value in shown), few))


def served(manifest: Manifest, store: GraphStore, threads: int, name: str) -> SamModel:
    """A model with this encoder and the fast decoder."""
    model = SamModel(manifest, store.folder(manifest), threads, "cpu")
    session = encoders(manifest, store, threads)[name]
    model.encode_with(Encoder(name, lambda: [session], name), is_verified=True)
    folder, graphs = built_decoder(manifest, store)
    model.use(SplitDecoder(graphs, folder, manifest.preprocessing, threads, "cpu"), is_verified=True)
    return model


def prompts(
    model: SamModel, embedding: ImageEmbedding, things: list[Object], seed: int
) -> Iterator[tuple[str, Prompt]]:
    """The robot user's clicks on each object and its box, then random ones."""
    frame: ImageSize = embedding.size
    for thing in things:
        sent = list[tuple[Point, ...]]()

        def answer(clicks: Sequence[Click], sent: list[tuple[Point, ...]] = sent) -> Mask:
            sent.append(tuple(Point(x, y, positive) for x, y, positive in clicks))
            return model.decode(embedding, Prompt(frame, sent[-1])).mask

        click_ious(thing, answer, max(CLICKS))
        yield from ((f"{len(clicks)} clicks", Prompt(frame, clicks)) for clicks in sent if len(clicks) in CLICKS)
        yield "box", Prompt(frame, box=Box(*thing.bbox))
    rng = np.random.default_rng(seed)
    for x, y in rng.uniform(0, 1, (10, 2)) * (frame.width, frame.height):
        yield "random click", Prompt(frame, (Point(x, y),))
    for (x1, y1), (x2, y2) in np.sort(rng.uniform(0, 1, (5, 2, 2)), axis=1) * (frame.width, frame.height):
        yield "random box", Prompt(frame, box=Box(x1, y1, x2 + 1, y2 + 1))


if __name__ == "__main__":
    main()
