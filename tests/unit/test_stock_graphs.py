"""Stock graphs are loaded by a start that needs them, and those that cannot be are told of in words."""

from pathlib import Path
from typing import Any

import msgspec
import onnxruntime as ort
import pytest
from structlog.testing import capture_logs

import server.app
from server.errors import ModelUnusable
from server.models.manifest import Manifest
from server.settings import Settings
from tests.split import renewed, stored
from tests.unit.test_fast_encoder import tiny_mobile_sam
from tests.unit.test_providers import only_cpu_build

STOCK = ["decoder.onnx", "encoder.onnx"]
BUILT = ["fast/encoder.onnx", "click.onnx", "click_with_mask.onnx", "image.onnx"]


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> tuple[Manifest, Path]:
    folder = tmp_path_factory.mktemp("published")
    return tiny_mobile_sam(folder), folder


@pytest.fixture
def settings(published: tuple[Manifest, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    stored(*published, tmp_path / "weights")
    monkeypatch.setattr(server.app, "find_manifest", lambda name, exports: published[0])
    return Settings(cache_dir=str(tmp_path), threads=1)


@pytest.fixture
def loaded(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The graphs that onnxruntime has loaded: the stock ones by name, those that were built with more of the path."""
    paths: list[str] = []

    class Recorded(ort.InferenceSession):  # type: ignore[misc]
        def __init__(self, path: str, *arguments: Any, **named: Any) -> None:
            folder, name = Path(path).parts[-2:]
            paths.append(f"fast/{name}" if folder.startswith("encoder-fast-") else name)
            super().__init__(path, *arguments, **named)

    monkeypatch.setattr("server.runtime.session.ort.InferenceSession", Recorded)
    return paths


def test_a_first_start_loads_each_graph_once_and_a_later_one_only_those_that_serve(
    settings: Settings, loaded: list[str]
) -> None:
    server.app.load_model(settings)
    assert sorted(loaded) == sorted(BUILT + STOCK)
    loaded.clear()
    model = server.app.load_model(settings)
    assert (model.encoder, model.decoder, model.provider) == ("fast", "fast", "CPUExecutionProvider")
    assert sorted(loaded) == sorted(BUILT)


@pytest.mark.parametrize(
    ("asked", "serving"), [("encoder", ["encoder.onnx", *BUILT[1:]]), ("decoder", ["decoder.onnx", BUILT[0]])]
)
def test_a_stock_graph_that_is_to_serve_is_loaded_without_the_other(
    settings: Settings, loaded: list[str], asked: str, serving: list[str]
) -> None:
    stock = msgspec.structs.replace(settings, **{asked: "stock"})
    server.app.load_model(stock)
    loaded.clear()
    server.app.load_model(stock)
    assert sorted(loaded) == sorted(serving)


@only_cpu_build
@pytest.mark.parametrize("encoder", ["fast", "stock"])
def test_a_gpu_that_is_asked_for_in_vain_stops_a_later_start_too_with_its_reason_alone(
    settings: Settings, encoder: str
) -> None:
    settings = msgspec.structs.replace(settings, encoder=encoder)
    server.app.load_model(settings)
    with capture_logs() as logs, pytest.raises(ModelUnusable, match=r"SAMSERVE_PROVIDER is cuda.*onnxruntime-gpu"):
        server.app.load_model(msgspec.structs.replace(settings, provider="cuda"))
    assert not logs


@pytest.mark.parametrize("broken", STOCK)
def test_a_stock_graph_that_is_none_stops_the_start(
    settings: Settings, tmp_path: Path, published: tuple[Manifest, Path], broken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, folder = published[0], tmp_path / "weights" / published[0].name
    (folder / broken).write_bytes(b"no graph")
    encoder, decoder = (renewed(graph, folder) for graph in whole.graphs)
    manifest = msgspec.structs.replace(whole, encoder=encoder, decoder=decoder)
    monkeypatch.setattr(server.app, "find_manifest", lambda name, exports: manifest)
    with pytest.raises(ModelUnusable, match=f"onnxruntime cannot load {broken}"):
        server.app.load_model(settings)


@pytest.mark.parametrize("changed", STOCK)
def test_a_stock_graph_that_was_changed_stops_the_start_even_where_it_would_not_serve(
    settings: Settings, tmp_path: Path, published: tuple[Manifest, Path], changed: str
) -> None:
    server.app.load_model(settings)
    (tmp_path / "weights" / published[0].name / changed).write_bytes(b"another graph")
    with pytest.raises(ModelUnusable, match=f"{changed} is damaged.*samserve weights pull {published[0].name}"):
        server.app.load_model(settings)
