"""A checkpoint in a smaller number format is smaller, is checked as closely as that allows, and is served."""

import os
from pathlib import Path

import pytest

from server.app import load_model
from server.core.geometry import Point
from server.core.prompt import Prompt
from server.environment import read_settings
from server.images.decode import decode_image
from server.settings import Settings
from server.weights.store import find_manifest
from tests.exporters.conftest import exported, saved
from tests.exporters.small_sam import small_sam
from tests.exporters.unfolded import unfolded
from tests.overlap import overlap

COFFEE = Path(__file__).parents[2] / "docs" / "pictures" / "coffee.jpg"


@pytest.mark.export_real
@pytest.mark.parametrize(("precision", "share"), [("fp16", 0.6), ("int8", 0.8)])
def test_the_real_encoder_is_converted_and_served(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, precision: str, share: float
) -> None:
    published = load_model(read_settings(os.environ))
    weights = read_settings(os.environ).cache_path / "weights"
    checkpoint = saved(tmp_path / "mobile_sam.pt", unfolded(weights / "mobile_sam"))
    monkeypatch.setenv("SAMSERVE_CACHE_DIR", str(tmp_path))
    result = exported("--family", "sam", "--checkpoint", checkpoint, "--precision", precision)
    assert result.exit_code == 0, result.output or result.exception
    name = f"mobile_sam_vit_t_{precision}"
    manifest = find_manifest(name, tmp_path / "weights")
    assert manifest.export is not None
    assert manifest.export.precision == precision
    assert manifest.encoder.bytes < share * find_manifest("mobile_sam", weights).encoder.bytes
    served, image = load_model(Settings(cache_dir=str(tmp_path), model=name)), decode_image(COFFEE.read_bytes(), 10**9)
    masks = []
    for model in (published, served):
        embedding = model.encode(image)
        masks.append(model.decode(embedding, Prompt(embedding.size, (Point(300, 150),))).mask)
    assert overlap(*masks) > 0.98


def test_what_no_provider_here_can_run_is_refused_and_leaves_nothing(cache: Path, tmp_path: Path) -> None:
    checkpoint = saved(tmp_path / "sam.pth", small_sam())
    result = exported("--family", "sam", "--checkpoint", checkpoint, "--precision", "bf16")
    assert "onnxruntime cannot load encoder.onnx" in str(result.exception)
    assert not [path for path in (cache / "weights").rglob("*") if path.is_file()]
