"""HQ-SAM and SAM 2 are served like SAM: with embeddings of more tensors, a stock decoder of four masks, a fast one."""

from pathlib import Path

import msgspec
import numpy as np
import pytest

from server.app import load_model
from server.core.embedding import ImageEmbedding
from server.core.geometry import Box, ImageSize, Point
from server.core.prompt import Prompt
from server.runtime.model import SamModel
from tests.installed import installed
from tests.split import small_hq_model, small_sam2_model

FRAME = ImageSize(192, 256)
PHOTO = np.random.default_rng(2).integers(0, 256, (192, 256, 3), np.uint8)
CLICKS = (Point(90, 80), Point(20, 30, positive=False), Point(200, 150))


@pytest.fixture(params=[small_hq_model, small_sam2_model], ids=["HQ-SAM", "SAM 2"])
def models(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[SamModel, SamModel]:
    settings = installed(request.param, tmp_path).settings
    return load_model(settings), load_model(msgspec.structs.replace(settings, decoder="stock"))


def test_the_fast_decoder_answers_as_the_stock_one_whichever_mask_is_chosen(models: tuple[SamModel, SamModel]) -> None:
    fast, stock = models
    assert (fast.decoder, stock.decoder) == ("fast", "stock")
    embedding = fast.encode(PHOTO)
    previous = stock.decode(embedding, Prompt(FRAME, CLICKS[:1])).low_res_logits
    for prompt in (
        Prompt(FRAME, CLICKS[:1]),
        Prompt(FRAME, CLICKS[:1], choice="predicted"),
        Prompt(FRAME, CLICKS[:1], choice="largest"),
        Prompt(FRAME, box=Box(30, 40, 200, 150)),
        Prompt(FRAME, CLICKS),
        Prompt(FRAME, CLICKS, previous=previous),
    ):
        expected, answered = stock.decode(embedding, prompt), fast.decode(embedding, prompt)
        largest = np.abs(expected.low_res_logits).max()
        np.testing.assert_allclose(answered.low_res_logits, expected.low_res_logits, atol=2e-4 * largest)
        assert np.count_nonzero(expected.mask != answered.mask) <= 0.001 * expected.mask.size
        assert answered.iou_prediction == pytest.approx(expected.iou_prediction, abs=1e-4)


def test_each_map_of_the_image_matters_to_the_mask(models: tuple[SamModel, SamModel]) -> None:
    fast, _ = models
    embedding, prompt = fast.encode(PHOTO), Prompt(FRAME, CLICKS)
    logits = fast.decode(embedding, prompt).low_res_logits
    assert len(embedding.tensors) > 1
    for name, tensor in embedding.tensors.items():
        without = ImageEmbedding(embedding.size, {**embedding.tensors, name: np.zeros_like(tensor)})
        assert np.abs(fast.decode(without, prompt).low_res_logits - logits).max() > 0.01
