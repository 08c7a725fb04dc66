"""EfficientSAM answers as its published code does, in torch and as exported."""

from pathlib import Path

import numpy as np
import pytest
import torch

from exporters.export import Request, export
from exporters.families.efficient_sam import exportable
from server.app import load_model
from server.core.embedding import ImageEmbedding
from server.core.geometry import Point
from server.core.prompt import Prompt
from server.environment import read_settings
from server.errors import ModelUnusable
from server.models import efficient_sam
from server.runtime.model import SamModel
from server.weights.store import GraphStore
from tests.exporters.small_efficient_sam import PROMPTS, SIZE, picture, small_state

# What the code of yformer/EfficientSAM gave for these weights, picture and prompts: predicted IoUs, every eighth logit.
PUBLISHED = np.load(Path(__file__).with_name("efficient_sam.npz"))
MODEL = exportable(small_state())


@pytest.fixture(scope="module")
def embedding() -> ImageEmbedding:
    pixels = efficient_sam.encoder_inputs(picture(), MODEL.preprocessing)["image"]
    (encoded,) = MODEL.encoder(torch.from_numpy(pixels))
    return efficient_sam.embedding(SIZE, {"image_embeddings": encoded.numpy()})


def decoded(embedding: ImageEmbedding, prompt: Prompt) -> tuple[np.ndarray, np.ndarray]:
    inputs = efficient_sam.decoder_inputs(embedding, prompt, MODEL.preprocessing)
    masks, ious = MODEL.decoder(*(torch.from_numpy(inputs[name].copy()) for name in MODEL.decoder_inputs))
    return masks[0].numpy(), ious[0].numpy()


@pytest.mark.parametrize("name", PROMPTS)
def test_a_prompt_on_an_image_is_answered_as_by_the_published_code(name: str, embedding: ImageEmbedding) -> None:
    masks, ious = decoded(embedding, PROMPTS[name])
    np.testing.assert_allclose(masks[:, ::8, ::8], PUBLISHED[f"{name}: logits"], atol=5e-3)
    np.testing.assert_allclose(ious, PUBLISHED[f"{name}: ious"], atol=1e-3)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> SamModel:
    """A checkpoint of the small model, exported, and loaded as the server loads it."""
    folder = tmp_path_factory.mktemp("efficient_sam")
    checkpoint = folder / "tuned.pt"
    torch.save({"model": small_state()}, checkpoint)
    request = Request("efficient_sam", checkpoint, "tuned", None, "fp32", threads=1)
    export(request, GraphStore(folder / "weights"), lambda _: None)
    return load_model(read_settings({"SAMSERVE_CACHE_DIR": str(folder), "SAMSERVE_MODEL": "tuned"}))


@pytest.mark.parametrize("name", PROMPTS)
def test_the_exported_model_is_served_and_answers_alike(name: str, served: SamModel, embedding: ImageEmbedding) -> None:
    masks, ious = decoded(embedding, PROMPTS[name])
    found = served.decode(served.encode(picture()), PROMPTS[name])
    best = ious.argmax()
    assert found.iou_prediction == pytest.approx(float(ious[best]), abs=1e-3)
    np.testing.assert_allclose(found.low_res_logits, masks[best], atol=5e-3)
    assert found.mask.shape == (SIZE.height, SIZE.width)
    assert 0 < found.mask.mean() < 1


def test_a_mask_is_refined_by_all_clicks_together(served: SamModel) -> None:
    embedding, clicks = served.encode(picture()), PROMPTS["a box and clicks"].points
    first = served.decode(embedding, Prompt(SIZE, clicks[:1]))
    refined = served.decode(embedding, Prompt(SIZE, clicks, previous=first.low_res_logits))
    afresh = served.decode(embedding, Prompt(SIZE, clicks))
    np.testing.assert_array_equal(refined.low_res_logits, afresh.low_res_logits)
    assert (refined.mask != first.mask).any()


def test_more_than_six_clicks_all_count(served: SamModel) -> None:
    embedding, clicks = served.encode(picture()), tuple(Point(200 * k + 40, 150 * k + 30) for k in range(7))
    six, seven = (served.decode(embedding, Prompt(SIZE, clicks[:count])) for count in (6, 7))
    assert np.abs(six.low_res_logits - seven.low_res_logits).max() > 0.01


def test_the_published_decoder_is_the_one_that_serves(served: SamModel) -> None:
    assert served.decoder == "stock"


def test_a_size_tells_which_model_it_is() -> None:
    assert MODEL.variant == "efficient_sam_vit64"
    assert MODEL.decoder_inputs["image_embeddings"].shape == (1, 32, 32, 32)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"image_encoder.neck.3.bias": None}, "it lacks image_encoder.neck.3.bias"),
        ({"image_encoder.blocks.0.mlp.fc1.weight": None}, "it lacks image_encoder.blocks.0.mlp.fc1.weight"),
        ({"mask_decoder.hf_token.weight": torch.zeros(1, 32)}, "it looks like one for --family hq_sam"),
        ({"image_encoder.pos_embed": torch.zeros(1, 49, 64)}, "its 48 positions are no square"),
        ({"image_encoder.patch_embed.proj.weight": torch.zeros(80, 3, 32, 32)}, "80 wide, which is no multiple of"),
        ({"prompt_encoder.extra": torch.zeros(1)}, "it has prompt_encoder.extra"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_weights_that_do_not_fit_are_refused_by_name(change: dict[str, torch.Tensor | None], message: str) -> None:
    state = {name: tensor for name, tensor in (small_state() | change).items() if tensor is not None}
    with pytest.raises(ModelUnusable, match=message):
        exportable(state)
