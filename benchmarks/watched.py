"""A server whose memory and descriptors are watched while it is clicked on."""

import argparse
import math
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from benchmarks.backend import Backend, NotLocal, NotUp
from benchmarks.process import NotSeen, listening
from benchmarks.site import serving
from benchmarks.stand import Stand


@dataclass(frozen=True)
class Watched:
    """The server, its processes, and the stand that clicks on it, without a floor beside it."""

    backend: Backend
    pids: Sequence[int]
    stand: Stand


def add_server(parser: argparse.ArgumentParser) -> None:
    """The options that say which server."""
    parser.add_argument("--url", default="http://127.0.0.1:9090", help="the server")
    parser.add_argument("--pid", type=int, help="the server's process, where it cannot be found by its port")


@contextmanager
def watching(options: argparse.Namespace) -> Iterator[Watched]:
    """The server of the options, which is named; ends the program with the reason where it cannot be watched."""
    try:
        backend = Backend(options.url)
        print(f"{backend.name()} at {backend.url}")
        pids = [options.pid] if options.pid else listening(backend.address[1])
        with serving() as site:
            yield Watched(backend, pids, Stand([backend], site, lambda: math.nan))
    except (NotLocal, NotUp, NotSeen) as error:
        sys.exit(str(error))
