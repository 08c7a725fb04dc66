"""Small SAMs with random weights go the way of the published ones."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from exporters.families.sam import exportable
from exporters.reference import TorchModel
from server.app import load_model
from server.core.geometry import Point
from server.core.prompt import Prompt
from server.runtime.parity import example_picture
from server.settings import Settings
from server.weights.store import find_manifest
from tests.exporters.conftest import exported, saved
from tests.exporters.small_sam import WIDTH, State, small_mobile_sam, small_sam
from tests.overlap import overlap


@pytest.mark.parametrize("input_size", [128, 256])
def test_an_exported_sam_is_served_with_torchs_masks(cache: Path, tmp_path: Path, input_size: int) -> None:
    state = small_sam(input_size)
    result = exported("--family", "sam", "--checkpoint", saved(tmp_path / "sam.pth", state), "--name", "mine")
    assert result.exit_code == 0, result.output
    assert "sam.pth: checking: picture 3 of 3, by torch and by the new encoder ..." in result.stderr
    model = load_model(Settings(cache_dir=str(cache), model="mine"))
    assert model.decoder == "fast"
    reference, picture = TorchModel(exportable(state)), example_picture()
    prompt = Prompt(model.encode(picture).size, (Point(60, 70),), choice="predicted")
    expected = reference.decode(reference.encode(picture), prompt).mask
    assert 0.01 < expected.mean() < 0.99
    assert overlap(expected, model.decode(model.encode(picture), prompt).mask) > 0.995


def test_an_exported_mobile_sam_says_what_it_is_and_how_it_was_checked(cache: Path, tmp_path: Path) -> None:
    checkpoint = saved(tmp_path / "mobile.pth", small_mobile_sam())
    assert exported("--family", "sam", "--checkpoint", checkpoint).exit_code == 0
    manifest = find_manifest("mobile_sam_vit_t", cache / "weights")
    assert (manifest.title, manifest.preprocessing.input_size) == ("MobileSAM", 1024)
    assert manifest.export is not None
    assert (manifest.export.checkpoint, manifest.export.opset) == ("mobile.pth", 17)
    parity = manifest.export.parity
    assert parity.fast is not None
    assert parity.embedding_drift < 1e-5
    assert min(parity.stock.mask_iou, parity.fast.mask_iou) > 0.995


def test_heads_windows_and_global_blocks_are_read_from_shapes() -> None:
    encoder = exportable(small_sam()).encoder
    assert [block.attn.num_heads for block in encoder.blocks] == [3, 3, 3, 3]
    assert [block.window_size for block in encoder.blocks] == [5, 0, 5, 0]


@pytest.mark.parametrize(
    ("make", "input_size", "logits"),
    [
        (small_sam, 128, [0.44172, 0.41435, 0.15809, 0.58608]),
        (small_mobile_sam, 1024, [-0.83764, -0.22688, -0.42354, -0.29451]),
    ],
)
def test_a_seeded_models_logits_stay_what_they_were(
    make: Callable[[], State], input_size: int, logits: list[float]
) -> None:
    """Frozen; segment_anything's own prompt encoder and mask decoder gave these numbers, without an exporter."""
    model = exportable(make())
    image = torch.linspace(-2, 2, 3 * input_size**2).reshape(1, 3, input_size, input_size)
    with torch.no_grad():
        embedding = model.encoder(image)
        prompt = dict(model.decoder_inputs) | {"image_embeddings": embedding}
        _, low_res = model.decoder(*prompt.values())
    side = low_res.shape[-1]
    assert embedding.shape == (1, WIDTH, side // 4, side // 4)
    found = low_res[0, 0, :: side // 3, side // 2]
    np.testing.assert_allclose(found, logits, rtol=0, atol=1e-3)
