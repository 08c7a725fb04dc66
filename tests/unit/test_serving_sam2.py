"""A model whose embedding is three tensors, and whose own decoder gives all masks, is served like any other."""

from pathlib import Path

import msgspec
import numpy as np
import pytest
from structlog.testing import capture_logs

from server.app import load_model
from server.cache.codec import decode, encode
from server.cache.disk import DiskCache
from server.core.crop import Crop
from server.core.geometry import ImageSize, Point
from server.core.prompt import Prompt
from server.runtime.model import SamModel
from server.settings import Settings
from tests.installed import installed
from tests.sam2_graphs import RADII, tiny_sam2

SIZE = ImageSize(128, 256)
PHOTO = np.zeros((128, 256, 3), np.uint8)
PHOTO[:, :128] = np.random.default_rng(3).integers(0, 60, (128, 128, 3))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    here = installed(tiny_sam2, tmp_path)
    return msgspec.structs.replace(here.settings, decoder="stock")  # these discs are no decoder of SAM 2's


@pytest.fixture
def model(settings: Settings) -> SamModel:
    return load_model(settings)


def width(model: SamModel, prompt: Prompt, photo: np.ndarray[tuple[int, int, int], np.dtype[np.uint8]] = PHOTO) -> int:
    """Columns of the mask."""
    return int(model.decode(model.encode(photo), prompt).mask.any(axis=0).sum())


def test_a_family_without_a_fast_decoder_is_served_with_its_own_and_no_warning(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.weights.built.FAMILIES", frozenset({"sam"}))
    settings = msgspec.structs.replace(settings, decoder="fast")
    with capture_logs() as logs:
        model = load_model(settings)
    assert [line for line in logs if line["log_level"] == "warning"] == []
    assert model.decoder == "stock"


def test_a_click_chooses_among_the_masks_of_a_stock_decoder_that_gives_all(model: SamModel) -> None:
    black = np.zeros_like(PHOTO)
    sizes = [width(model, Prompt(SIZE, (Point(128, 64),), choice=choice), black) for choice in ("smallest", "largest")]
    assert model.chooses
    assert sizes == pytest.approx([2 * radius * 4 for radius in (min(RADII), max(RADII))], abs=16)  # stretched to 64 px


def test_a_mask_that_is_fed_back_counts(model: SamModel) -> None:
    embedding, prompt = model.encode(PHOTO), Prompt(SIZE, (Point(128, 64), Point(200, 64, positive=False)))
    first = model.decode(embedding, prompt)
    sure = Prompt(SIZE, prompt.points, previous=np.full((16, 16), 500, np.float32))
    gain = model.decode(embedding, sure).low_res_logits - first.low_res_logits
    np.testing.assert_allclose(gain, 32, atol=1e-3)  # clamped


def test_three_tensors_come_back_from_the_disk_as_good_as_new(model: SamModel, tmp_path: Path) -> None:
    fresh, disk = model.encode(PHOTO), DiskCache(tmp_path / "embeddings", 1 << 20)
    disk.put(model.key("photo"), fresh)
    kept = disk.get(model.key("photo"))
    assert kept is not None
    assert list(kept.tensors) == list(fresh.tensors)
    for name, tensor in kept.tensors.items():
        np.testing.assert_allclose(np.float32(tensor), np.float32(fresh.tensors[name]), rtol=1e-3)
    assert decode(encode(model.key("photo"), kept))[1].nbytes == fresh.nbytes
    prompt = Prompt(SIZE, (Point(90, 60),))
    assert (model.decode(kept, prompt).mask == model.decode(fresh, prompt).mask).all()


def test_a_crop_is_an_image_of_its_own(model: SamModel) -> None:
    crop = Crop(128, 0, ImageSize(128, 128), SIZE)
    prompt = Prompt(SIZE, (Point(192, 64), Point(130, 1, positive=False)))
    part = model.decode(model.encode(crop.cut(PHOTO)), crop.prompt(prompt))
    mask = crop.prediction(part, SIZE).mask
    rows, columns = np.nonzero(mask)
    assert [columns.mean(), rows.mean()] == pytest.approx([192, 64], abs=3)
    assert columns.max() - columns.min() == pytest.approx(2 * RADII[0] * 2, abs=8)  # 2 px of it are one of the input
