"""Times a backend of Label Studio's, or several in the same run: python -m benchmarks [--quick] [--peer URL].

Backends must be allowed to fetch pictures from this process at 127.0.0.1 (samserve: SAMSERVE_ALLOW_HOSTS=127.0.0.1).
"""

import argparse
import os
import sys
from pathlib import Path

from benchmarks.backend import Backend, NotLocal, NotUp
from benchmarks.floor import Floor, stock_decoder
from benchmarks.machine import busyness, description, load
from benchmarks.picture import draw
from benchmarks.record import record
from benchmarks.report import report
from benchmarks.rounds import play
from benchmarks.samples import Results
from benchmarks.site import serving
from benchmarks.stand import Stand
from server.environment import read_settings
from server.errors import SamserveError

_SECONDS, _QUICK_SECONDS = 290.0, 55.0  # for each backend; the block that runs then comes on top


def main() -> None:
    """Prints tables; ends with status 1 when a mask was wrong."""
    options = _options()
    settings = read_settings(os.environ)
    try:
        backends = [Backend(url) for url in (options.url, *options.peer)]
        names = {backend.url: backend.name() for backend in backends}
        floor = Floor(stock_decoder(settings), settings.cores)
        before = load()
        with serving() as site:
            stand = Stand(backends, site, floor.run)
            rounds = play(stand, len(backends) * (_QUICK_SECONDS if options.quick else _SECONDS), _tell)
    except (NotLocal, NotUp, SamserveError) as error:
        sys.exit(str(error))
    results, machine = stand.results, f"{description()}; {busyness(before)}; full rounds: {rounds}"
    print(f"{machine}\n\n{report(results, names, options.markdown)}")
    if options.json:
        options.json.write_text(record(results, names, {"machine": description(), "load": before, "rounds": rounds}))
    if options.picture:
        draw(results, names, machine).save(options.picture)
    _end(results)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser("benchmarks", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--url", default="http://127.0.0.1:9090", help="the backend")
    parser.add_argument("--peer", action="append", default=[], metavar="URL", help="another one; may be repeated")
    parser.add_argument("--quick", action="store_true", help="about 1 minute for each backend instead of 5")
    parser.add_argument("--markdown", action="store_true", help="print the tables as Markdown")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all numbers there")
    parser.add_argument("--picture", type=_picture, metavar="FILE", help="draw them there (.png or .webp)")
    return parser.parse_args()


def _picture(text: str) -> Path:
    if Path(text).suffix not in {".png", ".webp"}:
        raise argparse.ArgumentTypeError("the name of a picture ends in .png or .webp")
    return Path(text)


def _tell(progress: str) -> None:
    print(progress, file=sys.stderr, flush=True)


def _end(results: Results) -> None:
    wrong = [sample for sample in results.samples if sample.is_wrong]
    if wrong:
        where = ", ".join(sorted({f"{sample.scenario} at {sample.backend}" for sample in wrong}))
        sys.exit(f"{len(wrong)} of {len(results.samples)} masks were not the object's: {where}")


if __name__ == "__main__":
    main()
