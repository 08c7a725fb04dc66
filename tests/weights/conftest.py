"""The real MobileSAM, where its graphs have been pulled."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from server.app import load_model
from server.environment import read_settings
from server.runtime.model import SamModel
from server.settings import Settings
from tests.pulled import pulled
from tests.weights.served import Served
from tests.weights.serving import serving


@pytest.fixture(scope="session")
def real_settings() -> Settings:
    return read_settings(os.environ)


@pytest.fixture(scope="session")
def graphs(real_settings: Settings) -> Path:
    """The folder with encoder.onnx and sam.onnx."""
    manifest, store = pulled(real_settings, "mobile_sam")
    return store.folder(manifest)


@pytest.fixture(scope="session")
def mobile_sam(graphs: Path, real_settings: Settings) -> SamModel:
    return load_model(real_settings)


@pytest.fixture(scope="session")
def served(mobile_sam: SamModel) -> Served:
    return Served(mobile_sam)


@pytest.fixture
def server(graphs: Path, tmp_path: Path) -> Iterator[str]:
    """The URL of `samserve serve` in a process of its own, with an empty cache."""
    with serving(graphs, tmp_path / "cache") as running:
        yield running.url
