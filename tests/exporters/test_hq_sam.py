"""HQ-SAM's two halves answer as the package's own predictor, and are served after an export."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from exporters.families.hq_sam import exportable
from exporters.families.hq_sam_package import SamPredictor
from exporters.reference import TorchModel
from server.app import load_model
from server.core.embedding import ImageEmbedding
from server.core.geometry import Box, ImageSize, Point
from server.core.prompt import Prompt
from server.errors import ModelUnusable
from server.settings import Settings
from tests.exporters.conftest import exported, saved
from tests.exporters.small_sam import small_hq_sam, small_light_hq_sam

FRAME = ImageSize(90, 120)
PHOTO = np.random.default_rng(3).integers(0, 256, (90, 120, 3), np.uint8)
CLICKS = (Point(50, 40), Point(15, 70, positive=False), Point(100, 20))


def prompts(side: int) -> dict[str, Prompt]:
    """Of masks with (side, side) logits."""
    mask = np.random.default_rng(4).normal(0, 5, (side, side)).astype(np.float32)
    return {
        "a click": Prompt(FRAME, CLICKS[:1], choice="predicted"),
        "clicks": Prompt(FRAME, CLICKS),
        "a box": Prompt(FRAME, box=Box(20, 10, 90, 70)),
        "clicks on a mask": Prompt(FRAME, CLICKS, previous=mask),
    }


def reference(predictor: SamPredictor, prompt: Prompt) -> tuple[NDArray[Any], NDArray[Any], float]:
    """The package's own mask, low-resolution logits and predicted IoU."""
    asked = {
        "point_coords": np.array([(point.x, point.y) for point in prompt.points]) if prompt.points else None,
        "point_labels": np.array([int(point.positive) for point in prompt.points]) if prompt.points else None,
        "box": np.array([prompt.box.x1, prompt.box.y1, prompt.box.x2, prompt.box.y2]) if prompt.box else None,
        "mask_input": None if prompt.previous is None else prompt.previous[None],
    }
    masks, ious, logits = predictor.predict(**asked, multimask_output=len(prompt.points) < 2)
    return masks[0], logits[0], float(ious[0])


@pytest.fixture(scope="module", params=[small_hq_sam, small_light_hq_sam], ids=["ViT", "TinyViT"])
def predictor(request: pytest.FixtureRequest) -> SamPredictor:
    predictor = SamPredictor(request.param())
    predictor.set_image(PHOTO)
    return predictor


@pytest.fixture(scope="module")
def halves(predictor: SamPredictor) -> tuple[TorchModel, ImageEmbedding]:
    model = TorchModel(exportable(predictor.model.state_dict()))
    return model, model.encode(PHOTO)


@pytest.mark.usefixtures("with_specks")
@pytest.mark.parametrize("name", ["a click", "clicks", "a box", "clicks on a mask"])
def test_the_halves_answer_as_the_packages_predictor(
    halves: tuple[TorchModel, ImageEmbedding], predictor: SamPredictor, name: str
) -> None:
    model, embedding = halves
    prompt = prompts(4 * embedding.tensors["image_embeddings"].shape[-1])[name]
    answered, (mask, logits, iou) = model.decode(embedding, prompt), reference(predictor, prompt)
    assert np.ptp(logits) > 0.1
    np.testing.assert_allclose(answered.low_res_logits, logits, atol=1e-4 * np.abs(logits).max())
    assert np.count_nonzero(answered.mask != mask) <= 0.002 * mask.size
    assert answered.iou_prediction == pytest.approx(iou, abs=1e-4)


def test_an_exported_hq_sam_is_served_by_either_decoder(cache: Path, tmp_path: Path) -> None:
    state = small_hq_sam().state_dict()
    result = exported("--family", "hq_sam", "--checkpoint", saved(tmp_path / "hq.pth", state), "--name", "mine")
    assert result.exit_code == 0, result.output
    reference, prompt = TorchModel(exportable(state)), Prompt(FRAME, CLICKS)
    expected = reference.decode(reference.encode(PHOTO), prompt)
    for decoder in ("fast", "stock"):
        model = load_model(Settings(cache_dir=str(cache), model="mine", decoder=decoder))
        assert model.decoder == decoder
        found = model.decode(model.encode(PHOTO), prompt).low_res_logits
        np.testing.assert_allclose(found, expected.low_res_logits, atol=1e-3 * np.abs(found).max())


def test_heads_windows_and_global_blocks_are_read_from_shapes() -> None:
    blocks = exportable(small_hq_sam().state_dict()).encoder.image_encoder.blocks
    assert [(block.attn.num_heads, block.window_size) for block in blocks] == [(3, 5), (3, 0), (3, 5), (3, 0)]


def test_a_checkpoint_of_sam_is_refused_with_the_family_that_fits() -> None:
    state = {name: tensor for name, tensor in small_hq_sam().state_dict().items() if "hf_token" not in name}
    with pytest.raises(ModelUnusable, match=r"looks like one for --family sam$"):
        exportable(state)


def test_a_checkpoint_that_lacks_a_part_is_refused_by_its_name() -> None:
    state = small_hq_sam().state_dict()
    del state["mask_decoder.embedding_maskfeature.0.bias"]
    with pytest.raises(ModelUnusable, match=r"lacks mask_decoder\.embedding_maskfeature\.0\.bias"):
        exportable(state)
