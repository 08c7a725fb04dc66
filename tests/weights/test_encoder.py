"""On real photographs the rewritten encoder leads to the stock one's masks, and the rounded one nearly so."""

from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

from server.app import load_model
from server.core.embedding import ImageEmbedding
from server.core.geometry import Box, Point
from server.core.prompt import Prompt
from server.images.decode import decode_image
from server.settings import Settings
from tests.overlap import overlap
from tests.weights.robot import first_click, objects, quality_set

PHOTOS = 10


@pytest.mark.weights
@pytest.mark.parametrize(("encoder", "least", "median"), [("fast", 0.999, 0.9999), ("int8", 0.0, 0.998)])
def test_masks_are_the_stock_encoders(
    graphs: Path, real_settings: Settings, encoder: str, least: float, median: float
) -> None:
    stock, other = (load_model(replace(real_settings, encoder=name)) for name in ("stock", encoder))
    assert (stock.encoder, other.encoder) == ("stock", encoder)
    embeddings: dict[Path, list[ImageEmbedding]] = {}
    overlaps = list[float]()
    for thing in objects(quality_set(), PHOTOS):
        if thing.photo not in embeddings:
            pixels = decode_image(thing.photo.read_bytes(), 10**9)
            embeddings[thing.photo] = [model.encode(pixels) for model in (stock, other)]
        x, y, _ = first_click(thing)
        frame = embeddings[thing.photo][0].size
        prompts = (Prompt(frame, (Point(x, y),)), Prompt(frame, box=Box(*thing.bbox)))
        pairs = ([stock.decode(each, prompt).mask for each in embeddings[thing.photo]] for prompt in prompts)
        overlaps += [overlap(*pair) for pair in pairs]
    assert len(overlaps) >= 2 * PHOTOS
    assert min(overlaps) >= least, sorted(overlaps)
    assert np.median(overlaps) >= median - 1e-6, sorted(overlaps)
