"""The graphs that are built of decoders of HQ-SAM and SAM 2 say what these say: all four masks, for every prompt."""

import numpy as np
import pytest

from tests.hq_decoder import write_hq_decoder
from tests.sam2_decoder import write_sam2_decoder
from tests.unit.graphs.pair import GRID, INPUT_SIZE, PROMPTS, Pair


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Pair]:
    folder = tmp_path_factory.mktemp("stock")
    write_hq_decoder(folder / "hq_sam.onnx", GRID, INPUT_SIZE)
    write_sam2_decoder(folder / "sam2.onnx", GRID, INPUT_SIZE)
    return {path.stem: Pair(path) for path in folder.iterdir()}


@pytest.mark.parametrize("family", ["hq_sam", "sam2"])
@pytest.mark.parametrize("with_mask", [False, True], ids=["without a mask", "with a mask"])
@pytest.mark.parametrize("name", PROMPTS)
def test_the_four_masks_are_the_stock_decoders(pairs: dict[str, Pair], name: str, with_mask: bool, family: str) -> None:
    logits, ious = pairs[family].answered(PROMPTS[name], with_mask)
    expected, expected_ious = pairs[family].expected(PROMPTS[name], with_mask)
    assert all(np.ptp(mask) > 1 for mask in expected)  # masks, not constants
    np.testing.assert_allclose(logits, expected, atol=2e-4 * np.abs(expected).max())
    np.testing.assert_allclose(ious, expected_ious, atol=1e-4)


def test_hq_features_matter_alike_to_all_masks(pairs: dict[str, Pair]) -> None:
    pair = pairs["hq_sam"]
    logits, _ = pair.answered(PROMPTS["a click"], with_mask=False)
    features = pair.tensors["hq_features"]
    pair.tensors["hq_features"] = features + 1
    shifted, _ = pair.answered(PROMPTS["a click"], with_mask=False)
    pair.tensors["hq_features"] = features
    difference = shifted - logits
    assert np.abs(difference).max() > 0.01
    np.testing.assert_allclose(difference, difference[0, 0, 0], atol=1e-3)  # and to all pixels, which all got one more
