"""The gate lets through what agrees, and nothing else."""

from pathlib import Path

import pytest
import torch

from exporters.exportable import Exportable
from exporters.families import exportable
from tests.exporters.conftest import exported, saved
from tests.exporters.small_sam import small_sam


class Shifted(torch.nn.Module):
    """An encoder that torch runs otherwise than it is exported."""

    def __init__(self, encoder: torch.nn.Module) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        features = self.encoder(image)
        return features if torch.onnx.is_in_onnx_export() else features * 1.1


def test_an_encoder_that_differs_is_refused_with_numbers(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def shifted(family: str, state: dict[str, torch.Tensor]) -> Exportable:
        model = exportable(family, state)
        return Exportable(**{**vars(model), "encoder": Shifted(model.encoder)})

    monkeypatch.setattr("exporters.export.exportable", shifted)
    result = exported("--family", "sam", "--checkpoint", saved(tmp_path / "sam.pth", small_sam()))
    assert "its embeddings differ by 0.091 of the largest value (at most 0.001)" in str(result.exception)
    assert list((cache / "weights").iterdir()) == []
