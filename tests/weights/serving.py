"""`samserve serve` in a process of its own, with the real model."""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.loopback import free_port


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
            _wait_until_up(url)
            with ThreadPoolExecutor(1) as drain:
                yield Server(url, process, drain.submit(process.stderr.read))
                process.terminate()
        finally:
            process.kill()


def _wait_until_up(url: str) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with contextlib.suppress(httpx.ConnectError):
            assert httpx.get(url + "/health").json()["model_class"] == "MobileSAM"
            return
        time.sleep(0.05)
    raise AssertionError(f"{url} did not come up")
