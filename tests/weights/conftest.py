"""The real MobileSAM, where its graphs have been pulled."""

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from server.app import load_model
from server.runtime.model import SamModel
from server.settings import Settings, read_settings
from server.weights.store import GraphStore, find_manifest
from tests.weights.served import Served


@pytest.fixture(scope="session")
def real_settings() -> Settings:
    return read_settings(os.environ)


@pytest.fixture(scope="session")
def graphs(real_settings: Settings) -> Path:
    """The folder with encoder.onnx and sam.onnx."""
    store, manifest = GraphStore(real_settings.cache_path / "weights"), find_manifest("mobile_sam")
    if not store.is_whole(manifest):
        pytest.skip("the MobileSAM graphs are not here; run: samserve weights pull mobile_sam")
    return store.folder(manifest)


@pytest.fixture(scope="session")
def mobile_sam(graphs: Path, real_settings: Settings) -> SamModel:
    return load_model(real_settings)


@pytest.fixture(scope="session")
def served(mobile_sam: SamModel) -> Served:
    return Served(mobile_sam)


@pytest.fixture
def server(graphs: Path) -> Iterator[str]:
    """`samserve serve` in a process of its own."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    environment = os.environ | {"SAMSERVE_ALLOW_HOSTS": "127.0.0.1"}
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
                drain.submit(process.stderr.read)
                yield url
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
