"""Stock graphs are loaded by a start that needs them, and those that cannot be are told of in words."""

from pathlib import Path
from typing import Any

import msgspec
import onnxruntime as ort
import pytest
from structlog.testing import capture_logs

from server.app import load_model
from server.errors import ModelUnusable
from server.models.manifest import Manifest
from server.settings import Settings
from tests.installed import Installed, installed
from tests.split import renewed
from tests.unit.test_fast_encoder import tiny_mobile_sam
from tests.unit.test_providers import only_cpu_build

STOCK = ["decoder.onnx", "encoder.onnx"]
BUILT = ["fast/encoder.onnx", "click.onnx", "click_with_mask.onnx", "image.onnx"]


@pytest.fixture
def here(tmp_path: Path) -> Installed:
    return installed(tiny_mobile_sam, tmp_path)


@pytest.fixture
def settings(here: Installed) -> Settings:
    return here.settings


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
    load_model(settings)
    assert sorted(loaded) == sorted(BUILT + STOCK)
    loaded.clear()
    model = load_model(settings)
    assert (model.encoder, model.decoder, model.provider) == ("fast", "fast", "CPUExecutionProvider")
    assert sorted(loaded) == sorted(BUILT)


@pytest.mark.parametrize(
    ("asked", "serving"), [("encoder", ["encoder.onnx", *BUILT[1:]]), ("decoder", ["decoder.onnx", BUILT[0]])]
)
def test_a_stock_graph_that_is_to_serve_is_loaded_without_the_other(
    settings: Settings, loaded: list[str], asked: str, serving: list[str]
) -> None:
    stock = msgspec.structs.replace(settings, **{asked: "stock"})
    load_model(stock)
    loaded.clear()
    load_model(stock)
    assert sorted(loaded) == sorted(serving)


@only_cpu_build
@pytest.mark.parametrize("encoder", ["fast", "stock"])
def test_a_gpu_that_is_asked_for_in_vain_stops_a_later_start_too_with_its_reason_alone(
    settings: Settings, encoder: str
) -> None:
    settings = msgspec.structs.replace(settings, encoder=encoder)
    load_model(settings)
    with capture_logs() as logs, pytest.raises(ModelUnusable, match=r"SAMSERVE_PROVIDER is cuda.*onnxruntime-gpu"):
        load_model(msgspec.structs.replace(settings, provider="cuda"))
    assert not logs


@pytest.mark.parametrize("broken", STOCK)
def test_a_stock_graph_that_is_none_stops_the_start(tmp_path: Path, broken: str) -> None:
    def broken_mobile_sam(folder: Path) -> Manifest:
        whole = tiny_mobile_sam(folder)
        (folder / broken).write_bytes(b"no graph")
        encoder, decoder = (renewed(graph, folder) for graph in whole.graphs)
        return msgspec.structs.replace(whole, encoder=encoder, decoder=decoder)

    with pytest.raises(ModelUnusable, match=f"onnxruntime cannot load {broken}"):
        load_model(installed(broken_mobile_sam, tmp_path).settings)


@pytest.mark.parametrize("changed", STOCK)
def test_a_stock_graph_that_was_changed_stops_the_start_even_where_it_would_not_serve(
    here: Installed, changed: str
) -> None:
    manifest, store = here
    load_model(here.settings)
    (store.folder(manifest) / changed).write_bytes(b"another graph")
    with pytest.raises(ModelUnusable, match=f"{changed} is damaged.*samserve weights pull {manifest.name}"):
        load_model(here.settings)
