"""Whether cached embeddings take the memory that they are counted as: python -m benchmarks.memory [--images 200]

After a warm-up, clicks once on each of many new images, which are encoded and kept. Ends with status 1 when a click
fails or its mask is wrong, or when the server's memory grows by more than what its cache says it holds, and a tenth.
A server with a small SAMSERVE_EMBEDDING_MEMORY_MIB drops embeddings meanwhile, and is held to that bound by it.
"""

import argparse
import math
import sys
import urllib.request
from dataclasses import dataclass

from benchmarks.messages import click
from benchmarks.process import NotSeen, usage
from benchmarks.scenes import draw_scene
from benchmarks.stand import Stand
from benchmarks.verdict import wrong_answers
from benchmarks.watched import Watched, add_server, watching

_WARM_UP = 24  # images: more than have their derived tensors kept
_SIZE = (1024, 1024)  # px
_EVERY = 20  # images between two lines
_HELD = 'samserve_cache_bytes{tier="memory"} '


@dataclass(frozen=True)
class Memory:
    """Of the server, MiB: what its processes use, and what it says that embeddings take."""

    used: float
    held: float

    def since(self, before: "Memory") -> "Memory":
        """How much more than `before`."""
        return Memory(self.used - before.used, self.held - before.held)


def main() -> None:
    """Prints a line each 20 images, and what was wrong."""
    options = _options()
    with watching(options) as server:
        _click_on_new_images(server.stand, _WARM_UP)
        before = now = _memory(server)
        for done in range(_EVERY, options.images + 1, _EVERY):
            _click_on_new_images(server.stand, _EVERY)
            now = _memory(server)
            more = now.since(before)
            print(f"{done:5} images: memory {more.used:+.0f} MiB, embeddings {more.held:+.0f} MiB", flush=True)
    sys.exit("\n".join([*wrong_answers(server.stand.results.samples), *excess(before, now)]) or None)


def excess(before: Memory, after: Memory) -> list[str]:
    """Whether memory grew by more than embeddings did, and a tenth of all that they take."""
    grown, allowed = after.since(before).used, after.held * 1.1 - before.held
    return [f"memory grew by {grown:.0f} MiB, and {allowed:.0f} MiB are allowed"] if grown > allowed else []


def _click_on_new_images(stand: Stand, count: int) -> None:
    (backend,), scene = stand.backends, draw_scene(*_SIZE, 0)
    for _ in range(count):
        task, number = stand.task(scene), stand.next_click()
        stand.keep("click", backend, backend.post("/predict", click(task, number)), (task, number), math.nan)


def _memory(server: Watched) -> Memory:
    """What the server uses and holds now.

    Raises:
        NotSeen: it does not say.
    """
    url = f"{server.backend.url}/metrics"
    try:
        with urllib.request.urlopen(url) as response:
            lines = response.read().decode().splitlines()
        held = next(float(line.removeprefix(_HELD)) for line in lines if line.startswith(_HELD))
    except (OSError, StopIteration):
        raise NotSeen(f"{url} does not tell what embeddings take") from None
    return Memory(usage(server.pids).mib, held / (1 << 20))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        "memory", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_server(parser)
    parser.add_argument("--images", type=int, default=200, help=f"how many, a multiple of {_EVERY}")
    return parser.parse_args()


if __name__ == "__main__":
    main()
