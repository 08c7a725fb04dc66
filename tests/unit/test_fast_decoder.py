"""The fast decoder is built once, checked before it is used, and replaced by the stock one where it is not as good."""

from pathlib import Path

import msgspec
import numpy as np
import pytest
from structlog.testing import capture_logs

from server.app import load_model
from server.core.geometry import Box, ImageSize, Point
from server.core.prompt import Prompt
from server.errors import ModelUnusable
from server.models.manifest import Preprocessing
from server.runtime.decoders import SplitDecoder
from server.runtime.model import SamModel
from server.runtime.parity import Decode, check_parity
from server.settings import Settings
from server.weights.built import built_decoder
from tests.graphs import tiny_model
from tests.installed import Installed, installed
from tests.split import small_model

FRAME = ImageSize(192, 256)
PHOTO = np.random.default_rng(2).integers(0, 256, (192, 256, 3), np.uint8)


@pytest.fixture
def here(tmp_path: Path) -> Installed:
    return installed(small_model, tmp_path)


@pytest.fixture
def settings(here: Installed) -> Settings:
    return here.settings


def written(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}


def test_graphs_are_built_once(here: Installed) -> None:
    folder, graphs = built_decoder(*here)
    before = written(folder)
    assert built_decoder(*here) == (folder, graphs)
    assert written(folder) == before


@pytest.mark.parametrize("file", ["click.onnx", "graphs.json"])
def test_a_build_that_was_damaged_or_left_unfinished_is_done_again(here: Installed, file: str) -> None:
    folder, graphs = built_decoder(*here)
    (folder / file).write_bytes(b"torn")
    assert built_decoder(*here) == (folder, graphs)
    assert (folder / file).read_bytes() != b"torn"


def test_another_stock_decoder_or_builder_has_a_folder_of_its_own(
    here: Installed, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, _ = built_decoder(*here)
    decoder = msgspec.structs.replace(here.manifest.decoder, sha256="0" * 64)
    other, _ = built_decoder(msgspec.structs.replace(here.manifest, decoder=decoder), here.store)
    monkeypatch.setattr("server.weights.built.VERSION", "next")
    newer, _ = built_decoder(*here)
    assert len({first, other, newer}) == 3


def test_the_fast_decoder_is_used_and_answers_as_the_stock_one(settings: Settings) -> None:
    fast = load_model(settings)
    stock = load_model(msgspec.structs.replace(settings, decoder="stock"))
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


@pytest.fixture
def trials(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """One entry for each time that the decoders are compared."""
    tried: list[bool] = []

    def tried_too(stock: Decode, other: Decode, what: str, how: Preprocessing) -> None:
        tried.append(True)
        check_parity(stock, other, what, how)

    monkeypatch.setattr("server.runtime.model.check_parity", tried_too)
    return tried


def test_what_passed_the_trial_is_not_tried_at_the_next_start_and_answers_the_same(
    settings: Settings, trials: list[bool]
) -> None:
    tried, untried = load_model(settings), load_model(settings)
    assert (tried.decoder, untried.decoder, len(trials)) == ("fast", "fast", 1)
    prompt = Prompt(FRAME, (Point(90, 80),))
    first, second = (model.decode(model.encode(PHOTO), prompt).low_res_logits for model in (tried, untried))
    assert np.array_equal(first, second)


@pytest.mark.parametrize("changed", ["onnxruntime", "processor", "samserve", "threads", "record"])
def test_what_passed_under_other_circumstances_is_tried_again(
    settings: Settings,
    here: Installed,
    trials: list[bool],
    changed: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    load_model(settings)
    if changed == "onnxruntime":
        monkeypatch.setattr("server.runtime.surroundings.ort.__version__", "99.0")
    elif changed == "processor":
        monkeypatch.setattr("server.runtime.surroundings._ON_LINUX", Path("/nowhere"))
    elif changed == "samserve":
        monkeypatch.setattr("server.speed_up.__version__", "99.0")
    elif changed == "threads":
        settings = msgspec.structs.replace(settings, threads=2)
    else:
        folder, _ = built_decoder(*here)
        (folder / "verified.json").write_bytes(b"torn")
    assert load_model(settings).decoder == "fast"
    assert len(trials) == 2


def test_what_did_not_pass_is_tried_at_each_start(
    settings: Settings, trials: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.runtime.parity.overlap", lambda a, b: 0.0)
    assert [load_model(settings).decoder for _ in range(2)] == ["stock", "stock"]
    assert len(trials) == 2


def test_a_click_gets_the_size_that_is_asked_for(settings: Settings) -> None:
    model = load_model(settings)
    embedding = model.encode(PHOTO)
    smallest, best, largest = (
        np.count_nonzero(model.decode(embedding, Prompt(FRAME, (Point(90, 80),), choice=choice)).low_res_logits > 0)
        for choice in ("smallest", "best", "largest")
    )
    assert smallest <= best <= largest
    assert smallest < largest


def test_a_decoder_that_answers_otherwise_is_not_used(settings: Settings, here: Installed) -> None:
    folder, graphs = built_decoder(*here)
    image = msgspec.structs.replace(graphs.image, outputs=dict(graphs.image.outputs, keys="queries", queries="keys"))
    model = SamModel(here.manifest, here.store.folder(here.manifest), threads=1)
    with pytest.raises(
        ModelUnusable, match=r"for a click it answers otherwise than the stock decoder.*logits differ by [1-9]"
    ):
        model.use(
            SplitDecoder(msgspec.structs.replace(graphs, image=image), folder, here.manifest.preprocessing, threads=1)
        )
    assert model.decoder == "stock"


def test_a_decoder_that_no_graphs_can_be_built_of_serves_itself_and_a_warning_says_so(
    tmp_path: Path,
) -> None:
    with capture_logs() as logs:
        model = load_model(installed(tiny_model, tmp_path).settings)
    assert model.decoder == "stock"
    (warning,) = [line for line in logs if line["log_level"] == "warning"]
    assert "decoder.onnx is no SAM decoder" in warning["reason"]
    assert "SAMSERVE_DECODER=stock" in warning["instead"]
