"""How fast a model's graphs are on a GPU, or wherever they run: python -m benchmarks.gpu [--provider cuda] [MODEL ...]

Times encodes, warm clicks (decoder, mask, Label Studio's answer) and crowds of annotators, each on an image of their
own, inside one process: HTTP is left out. Clicks on images whose tensors were kept in the GPU's memory are compared
with clicks on embeddings that come from RAM. Needs `samserve weights pull MODEL`, and neither litestar nor uvicorn.
"""

import argparse
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.gpu_report import picture, table
from benchmarks.gpu_timing import Row, load, measure
from benchmarks.machine import busyness, description
from benchmarks.machine import load as machine_load
from server.environment import read_settings
from server.errors import SamserveError
from server.runtime.gpu_versions import gpu_versions
from server.settings import Settings
from server.weights.store import GraphStore, known_models


def main() -> None:
    """Prints a table last; JSON and the picture are written where asked."""
    options = _options()
    settings = read_settings(os.environ, provider=options.provider)
    before = machine_load()
    rows = list(_rows(settings, options))
    machine = f"{description()}, {', '.join(f'{name} {told}' for name, told in gpu_versions().items())}"
    if options.json:
        told = {"machine": machine, "load": before, "rows": [row.told() for row in rows]}
        options.json.write_text(json.dumps(told, indent=1))
    if options.picture:
        picture(rows, machine).save(options.picture)
    print(f"{machine}; {busyness(before)}\n\n{table(rows)}")


def _rows(settings: Settings, options: argparse.Namespace) -> Iterator[Row]:
    """A model that cannot be loaded is told of, and left out."""
    for name in options.models or _pulled(settings):
        try:
            model = load(name, settings)
        except SamserveError as error:
            print(f"{name}: {error}", file=sys.stderr)
            continue
        for row in measure(model, options.annotators, options.repeats):
            print(row.line(), file=sys.stderr, flush=True)
            yield row


def _pulled(settings: Settings) -> list[str]:
    store = GraphStore(settings.cache_path / "weights")
    return [manifest.name for manifest in known_models(store.root) if store.is_whole(manifest)]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser("benchmarks.gpu", description=__doc__)
    parser.add_argument("models", nargs="*", metavar="MODEL", help="all that are pulled unless given")
    parser.add_argument("--provider", choices=("auto", "cpu", "cuda", "tensorrt"), help="what runs the graphs")
    parser.add_argument("--annotators", type=int, nargs="+", default=[1, 8, 32], help="how many click at once")
    parser.add_argument("--repeats", type=int, default=200, help="clicks of each annotator; encodes are a quarter")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all numbers there")
    parser.add_argument("--picture", type=Path, metavar="FILE", help="draw them there (.png or .webp)")
    return parser.parse_args()


if __name__ == "__main__":
    main()
