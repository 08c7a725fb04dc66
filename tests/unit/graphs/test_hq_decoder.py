"""The graphs that are built of an HQ-SAM decoder say what it says: all four masks, for every kind of prompt."""

import numpy as np
import pytest

from tests.hq_decoder import write_hq_decoder
from tests.unit.graphs.pair import GRID, INPUT_SIZE, PROMPTS, Pair


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    stock = tmp_path_factory.mktemp("stock") / "decoder.onnx"
    write_hq_decoder(stock, GRID, INPUT_SIZE)
    return Pair(stock)


@pytest.mark.parametrize("with_mask", [False, True], ids=["without a mask", "with a mask"])
@pytest.mark.parametrize("name", PROMPTS)
def test_the_four_masks_are_the_stock_decoders(pair: Pair, name: str, with_mask: bool) -> None:
    logits, ious = pair.answered(PROMPTS[name], with_mask)
    expected, expected_ious = pair.expected(PROMPTS[name], with_mask)
    assert all(np.ptp(mask) > 1 for mask in expected)  # masks, not constants
    np.testing.assert_allclose(logits, expected, atol=2e-4 * np.abs(expected).max())
    np.testing.assert_allclose(ious, expected_ious, atol=1e-4)


def test_the_encoders_features_matter_and_not_only_to_one_pixel(pair: Pair) -> None:
    logits, _ = pair.answered(PROMPTS["a click"], with_mask=False)
    features = pair.tensors["hq_features"]
    pair.tensors["hq_features"] = features + 1
    shifted, _ = pair.answered(PROMPTS["a click"], with_mask=False)
    pair.tensors["hq_features"] = features
    difference = shifted - logits
    assert np.abs(difference).min() > 0.01
    np.testing.assert_allclose(difference, difference[0, 0, 0], atol=1e-3)  # the same for all masks
