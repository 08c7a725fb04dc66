"""Whether a server stays as it was over many clicks: python -m benchmarks.soak [--url URL] [--clicks 10000] [--pid PID]

Four annotators click on 50 images. At every other batch of clicks, clients that read slowly, hang up midway or never
finish asking are there too. Ends with status 1 when a click fails or its mask is wrong, and, after a warm-up of 300
clicks, when memory grows, descriptors stay open, or annotators wait much longer because of those clients.
"""

import argparse
import math
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext

from benchmarks.messages import Task, click
from benchmarks.nuisances import besetting
from benchmarks.process import usage
from benchmarks.samples import summarized
from benchmarks.scenes import draw_scene
from benchmarks.stand import Stand
from benchmarks.verdict import Batch, faults, growth, slowdown
from benchmarks.watched import add_server, watching

_IMAGES, _SIZES = 50, ((640, 480), (1280, 960), (1920, 1080))
_ANNOTATORS, _BATCH, _WARM_UP = 4, 50, 300
_SETTLE = 2.0  # seconds in which a server may close what clients have left open


def main() -> None:
    """Prints a line each 500 clicks, and what was wrong."""
    options = _options()
    with watching(options) as server:
        batches = []
        for batch in _batches(server.stand, server.pids, options.clicks // _BATCH):
            batches.append(batch)
            if len(batches) % 10 == 0:
                _tell(len(batches) * _BATCH, batches[-10:])
        time.sleep(_SETTLE)
        settled = usage(server.pids)
    after = batches[_WARM_UP // _BATCH :]
    print(f"after {_WARM_UP} clicks: memory {growth(after):+.1f} MiB, clicks beside unpleasant clients took", end=" ")
    print(f"{slowdown(after):.2f} times as long, {settled.descriptors} descriptors ({after[0].usage.descriptors} then)")
    sys.exit("\n".join(faults(after, settled)) or None)


def _batches(stand: Stand, pids: Sequence[int], count: int) -> Iterator[Batch]:
    scenes = [draw_scene(*size, seed) for seed, size in enumerate(_SIZES)]
    tasks = [stand.task(scenes[number % len(scenes)]) for number in range(_IMAGES)]
    with ThreadPoolExecutor(_ANNOTATORS) as annotators:
        for number in range(count):
            is_beset, before = number % 2 == 1, len(stand.results.samples)
            with besetting(stand, tasks[0]) if is_beset else nullcontext():
                list(annotators.map(lambda task: _click(stand, task), tasks))
            yield Batch(is_beset, stand.results.samples[before:], usage(pids))


def _click(stand: Stand, task: Task) -> None:
    (backend,), number = stand.backends, stand.next_click()
    answer = backend.post("/predict", click(task, number))
    stand.keep("click", backend, answer, (task, number), math.nan)


def _tell(clicks: int, batches: list[Batch]) -> None:
    told = summarized("click", [sample for batch in batches for sample in batch.samples])
    used = batches[-1].usage
    print(
        f"{clicks:6} clicks: p50 {told.p50:.0f}, p95 {told.p95:.0f} ms, {told.errors} errors, {told.wrong} wrong, "
        f"{used.mib:.0f} MiB, {used.descriptors} descriptors",
        flush=True,
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser("soak", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    add_server(parser)
    parser.add_argument("--clicks", type=_enough, default=10_000, help="how many, 500 or more")
    return parser.parse_args()


def _enough(text: str) -> int:
    if int(text) < 500:
        raise argparse.ArgumentTypeError("memory cannot be judged after less than 500 clicks")
    return int(text)


if __name__ == "__main__":
    main()
