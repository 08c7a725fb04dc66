"""An encoder that was built here is checked before it is used, and never mixes its embeddings with other ones."""

from pathlib import Path

import msgspec
import numpy as np
import pytest
from structlog.testing import capture_logs

from server.app import load_model
from server.core.geometry import ImageSize, Point
from server.core.prediction import Logits
from server.core.prompt import Prompt
from server.models.manifest import Graph, Manifest
from server.runtime.model import SamModel
from server.settings import Settings
from server.weights.built import built_encoder
from tests.graphs import tiny_model
from tests.installed import Installed, installed
from tests.sam_decoder import write_sam_decoder
from tests.split import renewed
from tests.tinyvit import write_tinyvit

PHOTO = np.random.default_rng(2).integers(0, 256, (48, 64, 3), np.uint8)


def tiny_mobile_sam(folder: Path) -> Manifest:
    """Writes a tiny TinyViT and a tiny SAM decoder into `folder` and gives their manifest."""
    tiny = tiny_model(folder)
    write_tinyvit(folder / "encoder.onnx", 1024)
    write_sam_decoder(folder / "decoder.onnx", 64, 1024)
    encoder = Graph("encoder.onnx", 0, "", {"image": "input"}, {"image_embeddings": "neck"})
    decoder = renewed(tiny.decoder, folder)
    how = msgspec.structs.replace(tiny.preprocessing, input_size=1024)
    return msgspec.structs.replace(tiny, encoder=renewed(encoder, folder), decoder=decoder, preprocessing=how)


@pytest.fixture
def here(tmp_path: Path) -> Installed:
    return installed(tiny_mobile_sam, tmp_path)


@pytest.fixture
def settings(here: Installed) -> Settings:
    return msgspec.structs.replace(here.settings, decoder="stock")


def logits(model: SamModel) -> Logits:
    prompt = Prompt(ImageSize(48, 64), (Point(30, 20),), choice="predicted")
    return model.decode(model.encode(PHOTO), prompt).low_res_logits


def test_the_rewritten_encoder_takes_the_stock_ones_place_and_shares_its_embeddings(settings: Settings) -> None:
    fast, stock = (load_model(msgspec.structs.replace(settings, encoder=encoder)) for encoder in ("fast", "stock"))
    assert (fast.encoder, stock.encoder) == ("fast", "stock")
    assert (fast.key("a"), fast.version) == (stock.key("a"), stock.version)
    assert logits(stock).std() > 0.01
    assert np.abs(logits(fast) - logits(stock)).max() < 1e-4 * np.abs(logits(stock)).max()


def test_the_rounded_encoder_keeps_its_embeddings_apart_and_says_so(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.runtime.parity.overlap", lambda a, b: 1.0)  # random weights make masks of noise
    fast, int8 = (load_model(msgspec.structs.replace(settings, encoder=encoder)) for encoder in ("fast", "int8"))
    assert int8.encoder == "int8"
    assert int8.key("a").encoder != fast.key("a").encoder
    assert int8.version == f"{fast.version}-int8"


def test_an_encoder_whose_masks_are_others_is_not_used(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.runtime.parity.overlap", lambda a, b: 0.9)
    with capture_logs() as logs:
        model = load_model(settings)
    assert model.encoder == "stock"
    (warning,) = [line for line in logs if line["log_level"] == "warning"]
    assert "otherwise than the stock encoder: masks have an IoU of 0.9000" in warning["reason"]
    assert "SAMSERVE_ENCODER=stock" in warning["instead"]


def test_what_passed_its_trial_is_not_tried_at_the_next_start(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    load_model(settings)
    monkeypatch.setattr("server.runtime.parity.overlap", lambda a, b: 0.0)
    assert load_model(settings).encoder == "fast"


def test_a_graph_is_built_once(here: Installed) -> None:
    first = built_encoder(*here, int8=False)
    assert first
    file = first[0] / "encoder.onnx"
    written = file.stat().st_mtime_ns
    assert built_encoder(*here, int8=False) == first
    assert file.stat().st_mtime_ns == written


def test_on_a_gpu_the_stock_encoder_stays(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.speed_up.refusal", lambda wanted, running: "it runs")
    monkeypatch.setattr(SamModel, "provider", "CUDAExecutionProvider")
    assert load_model(settings).encoder == "stock"


@pytest.mark.parametrize(("asked", "warnings"), [("fast", 0), ("int8", 1)])
def test_an_encoder_of_another_kind_stays_and_only_who_asked_for_more_is_told(
    tmp_path: Path, asked: str, warnings: int
) -> None:
    settings = msgspec.structs.replace(installed(tiny_model, tmp_path).settings, decoder="stock", encoder=asked)
    with capture_logs() as logs:
        model = load_model(settings)
    assert model.encoder == "stock"
    assert len([line for line in logs if line["log_level"] == "warning"]) == warnings
