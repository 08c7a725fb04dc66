"""The graphs that are built of a stock decoder say what it says, for every kind of prompt."""

from pathlib import Path

import numpy as np
import onnx
import pytest

from server.errors import ModelUnusable
from server.graphs.build import build
from tests.sam_decoder import write_sam_decoder
from tests.unit.graphs.pair import GRID, INPUT_SIZE, PROMPTS, Pair


@pytest.fixture(scope="module")
def stock(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("stock") / "decoder.onnx"
    write_sam_decoder(file, GRID, INPUT_SIZE)
    return file


@pytest.fixture(scope="module")
def pair(stock: Path) -> Pair:
    return Pair(stock)


@pytest.mark.parametrize("with_mask", [False, True], ids=["without a mask", "with a mask"])
@pytest.mark.parametrize("name", PROMPTS)
def test_the_stock_decoders_mask_is_among_the_four(pair: Pair, name: str, with_mask: bool) -> None:
    points = PROMPTS[name]
    (logits,), (iou,) = pair.expected(points, with_mask)
    all_logits, ious = pair.answered(points, with_mask)
    chosen = 1 + int(ious[1:].argmax()) if len(points) == 2 else 0
    assert np.ptp(logits) > 1  # a mask, not a constant
    np.testing.assert_allclose(all_logits[chosen], logits, atol=2e-4 * np.abs(logits).max())
    assert ious[chosen] == pytest.approx(iou, abs=1e-4)


@pytest.mark.parametrize("with_mask", [False, True], ids=["without a mask", "with a mask"])
@pytest.mark.parametrize("extent", [(3, GRID), (GRID, 2), (1, GRID), (1, 1)])
def test_the_part_where_the_image_is_is_the_same_as_of_the_whole(
    pair: Pair, stock: Path, extent: tuple[int, int], with_mask: bool
) -> None:
    whole, all_ious = pair.answered(PROMPTS["clicks"], with_mask)
    part, ious = Pair(stock, extent=extent).answered(PROMPTS["clicks"], with_mask)
    rows, columns = 4 * extent[0], 4 * extent[1]
    np.testing.assert_allclose(part[:, :rows, :columns], whole[:, :rows, :columns], atol=1e-4)
    np.testing.assert_allclose(ious, all_ious, atol=1e-5)


def test_a_mask_prompt_matters(pair: Pair) -> None:
    without, _ = pair.answered(PROMPTS["a click"], with_mask=False)
    with_mask, _ = pair.answered(PROMPTS["a click"], with_mask=True)
    assert np.abs(without - with_mask).max() > 0.01


def test_a_graph_that_is_no_sam_decoder_is_refused(tmp_path: Path) -> None:
    tensor = onnx.helper.make_tensor_value_info("image_embeddings", onnx.TensorProto.FLOAT, [1, 3, 16, 16])
    graph = onnx.helper.make_graph([], "other", [tensor], [tensor])
    onnx.save(onnx.helper.make_model(graph), str(tmp_path / "other.onnx"))
    with pytest.raises(ModelUnusable, match=r"other\.onnx is no SAM decoder"):
        build(tmp_path / "other.onnx")


def test_a_sam_decoder_whose_norms_are_not_where_they_belong_is_refused(tmp_path: Path) -> None:
    write_sam_decoder(tmp_path / "odd.onnx", GRID, INPUT_SIZE)
    model = onnx.load(str(tmp_path / "odd.onnx"))
    kept = [value for value in model.graph.initializer if list(value.dims[1:]) != [1, 1]]
    del model.graph.initializer[:]
    model.graph.initializer.extend(kept)
    onnx.save(model, str(tmp_path / "odd.onnx"))
    with pytest.raises(ModelUnusable, match=r"odd\.onnx is no SAM decoder"):
        build(tmp_path / "odd.onnx")


def test_a_file_that_is_no_graph_is_refused(tmp_path: Path) -> None:
    (tmp_path / "torn.onnx").write_bytes(b"torn")
    with pytest.raises(ModelUnusable, match=r"torn\.onnx is no ONNX graph"):
        build(tmp_path / "torn.onnx")
