"""The published MobileSAM: from its graphs to a checkpoint, through the exporter, to the same answers."""

import os
from pathlib import Path

import numpy as np
import pytest

from server.app import load_model
from server.environment import read_settings
from server.images.decode import decode_image
from server.runtime.model import SamModel
from server.runtime.parity import example_prompts
from server.settings import Settings
from server.weights.store import find_manifest
from tests.exporters.conftest import exported, saved
from tests.exporters.unfolded import unfolded
from tests.overlap import overlap

pytestmark = pytest.mark.export_real
PHOTOS = sorted((Path(__file__).parents[2] / "docs" / "pictures").glob("*[!s].jpg"))


@pytest.fixture(scope="module")
def published() -> SamModel:
    return load_model(read_settings(os.environ))


@pytest.fixture(scope="module")
def mine(tmp_path_factory: pytest.TempPathFactory) -> SamModel:
    """The same model, exported from a checkpoint by the command."""
    folder, real = tmp_path_factory.mktemp("real"), read_settings(os.environ).cache_path / "weights" / "mobile_sam"
    checkpoint = saved(folder / "mobile_sam.pt", unfolded(real))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SAMSERVE_CACHE_DIR", str(folder))
        result = exported("--family", "sam", "--checkpoint", checkpoint, "--name", "mine")
        assert result.exit_code == 0, result.output
    print(find_manifest("mine", folder / "weights").export)  # noqa: T201 - the numbers, for who looks with -s
    return load_model(Settings(cache_dir=str(folder), model="mine"))


def test_both_decoders_are_fast(published: SamModel, mine: SamModel) -> None:
    assert (published.decoder, mine.decoder) == ("fast", "fast")


@pytest.mark.parametrize("photo", PHOTOS, ids=lambda photo: photo.stem)
def test_a_photograph_has_the_same_embedding_and_the_same_masks(
    published: SamModel, mine: SamModel, photo: Path
) -> None:
    image = decode_image(photo.read_bytes(), 10**9)
    expected, found = published.encode(image), mine.encode(image)
    pair = (model.tensors["image_embeddings"].astype(np.float64) for model in (expected, found))
    largest = np.abs(np.subtract(*pair)).max()
    print(photo.stem, "embedding differs by", largest)  # noqa: T201
    assert largest < 1e-5
    for kind, prompt in example_prompts(lambda prompt: published.decode(expected, prompt)):
        iou = overlap(published.decode(expected, prompt).mask, mine.decode(found, prompt).mask)
        print(photo.stem, kind, iou)  # noqa: T201
        assert iou >= 0.999, kind
