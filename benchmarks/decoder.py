"""How long the stock decoder and the fast one take, and whether they answer the same.

python benchmarks/decoder.py [--repeats 40] [--threads 1 2] [--photo docs/pictures/coffee.jpg]

Times the graphs alone, after `samserve weights pull`. Both take turns, so that whatever else the machine does hits
both. A row gives the median of each, the median of the ratios, the same ratio of processor time (of all threads; what
else runs matters less to it), and the worst mask IoU between both. Of several prompts the time is that of all, on one
image. The last row per number of threads is what the fast decoder computes once per image, against one stock click.
"""

import argparse
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path

import numpy as np

from server.core.embedding import ImageEmbedding
from server.core.geometry import Box, Point
from server.core.prediction import Mask
from server.core.prompt import Prompt
from server.images.decode import decode_image
from server.models import sam
from server.models.family import Tensors
from server.models.manifest import Preprocessing
from server.runtime.decoders import Decoder, SplitDecoder, StockDecoder
from server.runtime.model import SamModel
from server.runtime.session import Session
from server.settings import read_settings
from server.weights.built import built_decoder
from server.weights.store import GraphStore, find_manifest

KINDS = ("1 click", "box", "3 clicks", "10 clicks")
ROW = "{:>7} {:>7} {:>10} {:>9} {:>9} {:>9} {:>6} {:>6} {:>9}"


@dataclass(frozen=True)
class Case:
    """Prompts on one image, for either decoder."""

    embedding: ImageEmbedding
    prompts: Sequence[Prompt]
    how: Preprocessing

    def feeds(self) -> list[Tensors]:
        """The decoder's inputs, prompt by prompt."""
        return [sam.decoder_inputs(self.embedding, prompt, self.how) for prompt in self.prompts]

    def masks(self, decoder: Decoder) -> list[Mask]:
        """The masks as they are served."""
        answers = [decoder.run(self.embedding, feed) for feed in self.feeds()]
        pairs = zip(answers, self.prompts, strict=True)
        return [sam.prediction(answer, self.embedding, prompt, self.how).mask for answer, prompt in pairs]


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
    folder, graphs = built_decoder(manifest, store)
    print(ROW.format("threads", "prompts", "each", "with mask", "stock ms", "fast ms", "ratio", "CPU", "mask IoU"))
    for threads in arguments.threads:
        stock = StockDecoder(Session(store.folder(manifest) / manifest.decoder.file, manifest.decoder, threads))
        fast = SplitDecoder(graphs, folder, threads)
        for count, kind, masked in product((1, 4, 8), KINDS, (False, True)):
            case = Case(embedding, prompts(model, embedding, kind, count, masked), manifest.preprocessing)
            worst = min(iou(*pair) for pair in zip(case.masks(stock), case.masks(fast), strict=True))
            times = compared(runner(stock, case), runner(fast, case), max(5, arguments.repeats // count))
            print(ROW.format(threads, count, kind, "yes" if masked else "", *times, f"{worst:.5f}"), flush=True)
        click = Case(embedding, prompts(model, embedding, "1 click", 1, False), manifest.preprocessing)
        image = Session(folder / graphs.image.file, graphs.image, threads)
        times = compared(runner(stock, click), partial(image.run, embedding.tensors), arguments.repeats)
        print(ROW.format(threads, "", "image", "", *times, ""), flush=True)


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
        asked.append(Prompt(frame, points, box, previous=previous))
    return asked


def runner(decoder: Decoder, case: Case) -> Callable[[], object]:
    """Decodes all of a case's prompts."""
    feeds = case.feeds()
    return lambda: [decoder.run(case.embedding, feed) for feed in feeds]


def compared(stock: Callable[[], object], fast: Callable[[], object], repeats: int) -> tuple[str, ...]:
    """Median milliseconds of each, and the median ratios of wall and processor time, of works that take turns."""
    seconds = np.array([[timed(stock), timed(fast)] for _ in range(repeats + 2)])[2:]  # (repeats, 2 works, 2 clocks)
    stock_ms, fast_ms = np.median(seconds[..., 0], axis=0) * 1e3
    ratios = np.median(seconds[:, 1] / seconds[:, 0], axis=0)
    return f"{stock_ms:.1f}", f"{fast_ms:.1f}", f"{ratios[0]:.2f}", f"{ratios[1]:.2f}"


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
