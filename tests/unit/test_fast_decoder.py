"""The fast decoder is built once, checked before it is used, and replaced by the stock one where it is not as good."""

from pathlib import Path

import msgspec
import numpy as np
import pytest
from structlog.testing import capture_logs

import server.app
from server.core.geometry import Box, ImageSize, Point
from server.core.prompt import Prompt
from server.errors import ModelUnusable
from server.models.manifest import Manifest
from server.runtime.decoders import SplitDecoder
from server.runtime.model import SamModel
from server.settings import Settings
from server.weights.built import built_decoder
from server.weights.store import GraphStore
from tests.graphs import tiny_model
from tests.split import small_model, stored

FRAME = ImageSize(192, 256)
PHOTO = np.random.default_rng(2).integers(0, 256, (192, 256, 3), np.uint8)


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> tuple[Manifest, Path]:
    folder = tmp_path_factory.mktemp("published")
    return small_model(folder), folder


@pytest.fixture
def manifest(published: tuple[Manifest, Path]) -> Manifest:
    return published[0]


@pytest.fixture
def store(published: tuple[Manifest, Path], tmp_path: Path) -> GraphStore:
    return stored(*published, tmp_path / "weights")


@pytest.fixture
def settings(tmp_path: Path, manifest: Manifest, store: GraphStore, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setattr(server.app, "find_manifest", lambda name, exports: manifest)
    return Settings(cache_dir=str(tmp_path), threads=1)


def written(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}


def test_graphs_are_built_once(manifest: Manifest, store: GraphStore) -> None:
    folder, graphs = built_decoder(manifest, store)
    before = written(folder)
    assert built_decoder(manifest, store) == (folder, graphs)
    assert written(folder) == before


@pytest.mark.parametrize("file", ["click.onnx", "graphs.json"])
def test_a_build_that_was_damaged_or_left_unfinished_is_done_again(
    manifest: Manifest, store: GraphStore, file: str
) -> None:
    folder, graphs = built_decoder(manifest, store)
    (folder / file).write_bytes(b"torn")
    assert built_decoder(manifest, store) == (folder, graphs)
    assert (folder / file).read_bytes() != b"torn"


def test_another_stock_decoder_or_builder_has_a_folder_of_its_own(
    manifest: Manifest, store: GraphStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, _ = built_decoder(manifest, store)
    decoder = msgspec.structs.replace(manifest.decoder, sha256="0" * 64)
    other, _ = built_decoder(msgspec.structs.replace(manifest, decoder=decoder), store)
    monkeypatch.setattr("server.weights.built.VERSION", "next")
    newer, _ = built_decoder(manifest, store)
    assert len({first, other, newer}) == 3


def test_the_fast_decoder_is_used_and_answers_as_the_stock_one(settings: Settings) -> None:
    fast = server.app.load_model(settings)
    stock = server.app.load_model(msgspec.structs.replace(settings, decoder="stock"))
    assert (fast.decoder, stock.decoder, fast.version) == ("fast", "stock", stock.version)
    embedding = fast.encode(PHOTO)
    previous = stock.decode(embedding, Prompt(FRAME, (Point(90, 80),))).low_res_logits
    more = (Point(90, 80), Point(20, 30, positive=False), Point(200, 150))
    for prompt in (
        Prompt(FRAME, more[:1], choice="predicted"),
        Prompt(FRAME, box=Box(30, 40, 200, 150)),
        Prompt(FRAME, more),
        Prompt(FRAME, more, previous=previous),
        Prompt(FRAME, more[:1], Box(30, 40, 200, 150), drawn=PHOTO[..., 0] > 128),
    ):
        expected, answered = stock.decode(embedding, prompt), fast.decode(embedding, prompt)
        assert 0 < np.count_nonzero(expected.mask) < expected.mask.size
        assert np.count_nonzero(expected.mask != answered.mask) <= 0.001 * expected.mask.size
        assert answered.iou_prediction == pytest.approx(expected.iou_prediction, abs=1e-4)


def test_a_click_gets_the_size_that_is_asked_for(settings: Settings) -> None:
    model = server.app.load_model(settings)
    embedding = model.encode(PHOTO)
    smallest, best, largest = (
        np.count_nonzero(model.decode(embedding, Prompt(FRAME, (Point(90, 80),), choice=choice)).low_res_logits > 0)
        for choice in ("smallest", "best", "largest")
    )
    assert smallest <= best <= largest
    assert smallest < largest


def test_a_decoder_that_answers_otherwise_is_not_used(
    settings: Settings, manifest: Manifest, store: GraphStore
) -> None:
    folder, graphs = built_decoder(manifest, store)
    image = msgspec.structs.replace(graphs.image, outputs=dict(graphs.image.outputs, keys="queries", queries="keys"))
    model = SamModel(manifest, store.folder(manifest), threads=1)
    with pytest.raises(
        ModelUnusable, match=r"for a click it answers otherwise than the stock decoder.*logits differ by [1-9]"
    ):
        model.use(SplitDecoder(msgspec.structs.replace(graphs, image=image), folder, threads=1))
    assert model.decoder == "stock"


def test_a_decoder_that_no_graphs_can_be_built_of_serves_itself_and_a_warning_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "published").mkdir()
    manifest = tiny_model(tmp_path / "published")
    stored(manifest, tmp_path / "published", tmp_path / "weights")
    monkeypatch.setattr(server.app, "find_manifest", lambda name, exports: manifest)
    with capture_logs() as logs:
        model = server.app.load_model(Settings(cache_dir=str(tmp_path), threads=1))
    assert model.decoder == "stock"
    (warning,) = [line for line in logs if line["log_level"] == "warning"]
    assert "decoder.onnx is no SAM decoder" in warning["reason"]
    assert "SAMSERVE_DECODER=stock" in warning["instead"]
