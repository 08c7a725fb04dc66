"""How long the stock decoder, the same cut in two, and the fast one take, and whether they answer the same.

python -m benchmarks.decoder [--repeats 40] [--threads 1 2] [--photo docs/pictures/coffee.jpg]

Times the graphs alone, after `samserve weights pull`. They take turns, so that whatever else the machine does hits all.
"split" is a SAM's stock graph with what depends on the image alone computed once (benchmarks/split.py); a mask prompt
changes that part. A row gives the median of each, the median of the ratios to stock, the fast one's ratio of processor
time (of all threads; what else runs matters less to it), and the worst mask IoU of the fast one to the stock one. Of
several prompts the time is that of all, on one image. The last row per number of threads is what the fast decoder
computes once per image, against one stock click.
"""

import argparse
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks.split import SplitStock
from server.core.embedding import ImageEmbedding
from server.core.geometry import Box, Point
from server.core.prediction import Mask
from server.core.prompt import Prompt
from server.environment import read_settings
from server.images.decode import decode_image
from server.models.family import ModelFamily, Tensors
from server.models.manifest import Preprocessing
from server.models.registry import family
from server.runtime.decoders import Decoder, SplitDecoder, StockDecoder
from server.runtime.model import SamModel
from server.runtime.session import Session
from server.weights.built import built_decoder
from server.weights.store import GraphStore, find_manifest

HEADS = ("stock ms", "split ms", "fast ms", "split /", "fast /", "CPU", "mask IoU")
KINDS = ("1 click", "box", "3 clicks", "10 clicks")
ROW = "{:>7} {:>7} {:>10} {:>9} {:>9} {:>9} {:>9} {:>7} {:>6} {:>6} {:>9}"


@dataclass(frozen=True)
class Case:
    """Prompts on one image, for either decoder."""

    family: ModelFamily
    embedding: ImageEmbedding
    prompts: Sequence[Prompt]
    how: Preprocessing

    def feeds(self) -> list[Tensors]:
        """The decoder's inputs, prompt by prompt."""
        return [self.family.decoder_inputs(self.embedding, prompt, self.how) for prompt in self.prompts]

    def masks(self, decoder: Decoder) -> list[Mask]:
        """The masks as they are served."""
        answers = [decoder.run(self.embedding, feed) for feed in self.feeds()]
        pairs = zip(answers, self.prompts, strict=True)
        return [self.family.prediction(answer, self.embedding, prompt, self.how).mask for answer, prompt in pairs]


def main() -> None:
    """Prints one row per number of threads, prompts and points, with and without a mask prompt."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=40)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--photo", type=Path, default=Path(__file__).parents[1] / "docs" / "pictures" / "coffee.jpg")
    arguments = parser.parse_args()
    settings = read_settings(os.environ)
    store = GraphStore(settings.cache_path / "weights")
    manifest = find_manifest(settings.model, store.root)
    model = SamModel(manifest, store.folder(manifest), settings.cores)
    embedding = model.encode(decode_image(arguments.photo.read_bytes(), 10**9))
    of_case = partial(Case, family(manifest.family), embedding, how=manifest.preprocessing)
    folder, graphs = built_decoder(manifest, store)
    stock_file = store.folder(manifest) / manifest.decoder.file
    print(ROW.format("threads", "prompts", "each", "with mask", *HEADS))
    for threads in arguments.threads:
        stock = StockDecoder(partial(Session, stock_file, manifest.decoder, threads))
        fast = SplitDecoder(graphs, folder, manifest.preprocessing, threads)
        with TemporaryDirectory() as scratch:
            cut = partial(SplitStock, stock_file, manifest.decoder.outputs, Path(scratch), threads)
            split = cut() if manifest.family == "sam" else None
        for count, kind, masked in product((1, 4, 8), KINDS, (False, True)):
            case = of_case(prompts(model, embedding, kind, count, masked))
            worst = min(iou(*pair) for pair in zip(case.masks(stock), case.masks(fast), strict=True))
            works = [runner(stock, case), runner(split, case) if split and not masked else None, runner(fast, case)]
            times = compared(works, max(5, arguments.repeats // count))
            print(ROW.format(threads, count, kind, "yes" if masked else "", *times, f"{worst:.5f}"), flush=True)
        click = of_case(prompts(model, embedding, "1 click", 1, False))
        image = Session(folder / graphs.image.file, graphs.image, threads)
        needed = {name: embedding.tensors[name] for name in graphs.image.inputs}
        works = [runner(stock, click), partial(split.prepare, embedding) if split else None, partial(image.run, needed)]
        print(ROW.format(threads, "", "image", "", *compared(works, arguments.repeats), ""), flush=True)


def prompts(model: SamModel, embedding: ImageEmbedding, kind: str, count: int, masked: bool) -> list[Prompt]:
    """`count` different prompts of a kind; with a mask they go on from the mask of their first click."""
    asked = []
    for number in range(count):
        rng, frame = np.random.default_rng(number), embedding.size
        xs, ys = (rng.uniform(0.1, 0.9, (10, 2)) * (frame.width, frame.height)).T
        clicks = [Point(x, y, positive=k % 3 != 1) for k, (x, y) in enumerate(zip(xs, ys, strict=True))]
        box = Box(min(xs[:2]), min(ys[:2]), max(xs[:2]), max(ys[:2])) if kind == "box" else None
        points = () if box else tuple(clicks[: int(kind.partition(" ")[0])])
        previous = model.decode(embedding, Prompt(frame, (clicks[0],))).low_res_logits if masked else None
        asked.append(Prompt(frame, points, box, previous=previous, choice="predicted"))  # as the stock graph chooses
    return asked


def runner(decoder: Decoder, case: Case) -> Callable[[], object]:
    """Decodes all of a case's prompts."""
    feeds = case.feeds()
    return lambda: [decoder.run(case.embedding, feed) for feed in feeds]


def compared(works: Sequence[Callable[[], object] | None], repeats: int) -> tuple[str, ...]:
    """Of works that take turns, stock first and fast last: medians in ms, ratios to stock, and of processor time."""
    rounds = [[timed(work) if work else (np.nan, np.nan) for work in works] for _ in range(repeats + 2)]
    seconds = np.array(rounds)[2:]  # (repeats, works, 2 clocks)
    medians = np.median(seconds[..., 0], axis=0) * 1e3
    ratios = np.median(seconds / seconds[:, :1], axis=0)[1:]
    return (
        *("" if np.isnan(ms) else f"{ms:.1f}" for ms in medians),
        *("" if np.isnan(ratio) else f"{ratio:.2f}" for ratio in (*ratios[:, 0], ratios[-1, 1])),
    )


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds on the wall, and of the processor."""
    wall, processor = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - processor


def iou(a: Mask, b: Mask) -> float:
    """Intersection over union; of two empty masks 1."""
    union = np.count_nonzero(a | b)
    return np.count_nonzero(a & b) / union if union else 1.0


if __name__ == "__main__":
    main()
