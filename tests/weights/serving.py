"""`samserve serve` in a process of its own, with the real model."""

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.loopback import free_port
from tests.waiting import eventually


@dataclass(frozen=True)
class Server:
    """A running server; its log is complete once it has ended."""

    url: str
    process: subprocess.Popen[bytes]
    log: Future[bytes]


@contextmanager
def serving(graphs: Path, cache: Path) -> Iterator[Server]:
    """A server that keeps everything but the graphs in `cache`."""
    port = free_port()
    cache.mkdir(exist_ok=True)
    if not (cache / "weights").exists():
        (cache / "weights").symlink_to(graphs.parent)
    environment = os.environ | {"SAMSERVE_ALLOW_HOSTS": "127.0.0.1", "SAMSERVE_CACHE_DIR": str(cache)}
    command = [sys.executable, "-m", "server", "serve", "--host", "127.0.0.1", "--port", str(port)]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE) as process:
        assert process.stderr
        try:
            for line in process.stderr:
                if b"In Label Studio" in line:
                    break
            url = f"http://127.0.0.1:{port}"
            assert eventually(lambda: _is_up(url), seconds=30), f"{url} did not come up"
            with ThreadPoolExecutor(1) as drain:
                yield Server(url, process, drain.submit(process.stderr.read))
                process.terminate()
        finally:
            process.kill()


def _is_up(url: str) -> bool:
    try:
        return bool(httpx.get(url + "/health").json()["model_class"] == "MobileSAM")
    except httpx.ConnectError:
        return False
