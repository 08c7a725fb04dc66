"""The fast decoder's masks are the stock decoder's, for every kind of prompt on real photographs."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import pytest
from msgspec.structs import replace

from server.app import load_model
from server.core.embedding import ImageEmbedding
from server.core.geometry import Box, Point
from server.core.prediction import Mask
from server.core.prompt import Prompt
from server.images.decode import decode_image
from server.runtime.model import SamModel
from server.settings import Settings
from tests.overlap import overlap
from tests.weights.drawing import blob
from tests.weights.robot import Click, Object, click_ious, objects, quality_set


@pytest.fixture(scope="module")
def fast(graphs: Path, real_settings: Settings) -> SamModel:
    return load_model(replace(real_settings, decoder="fast"))


@pytest.fixture(scope="module")
def stock(graphs: Path, real_settings: Settings) -> SamModel:
    return load_model(replace(real_settings, decoder="stock"))


def prompts(thing: Object, embedding: ImageEmbedding, model: SamModel) -> Iterator[tuple[str, Prompt]]:
    """Every kind of prompt for an object; clicks where the robot user puts them."""
    frame, box, sent = embedding.size, Box(*thing.bbox), list[tuple[Point, ...]]()

    def answer(clicks: Sequence[Click]) -> Mask:
        sent.append(tuple(Point(x, y, positive) for x, y, positive in clicks))
        return model.decode(embedding, Prompt(frame, sent[-1])).mask

    click_ious(thing, answer, 10)
    as_stock = ((f"{len(clicks)} clicks", Prompt(frame, clicks, choice="predicted")) for clicks in sent)
    yield from (asked for asked in as_stock if len(asked[1].points) in (1, 2, 5, 10))
    yield "a box", Prompt(frame, box=box)
    yield "a box and clicks", Prompt(frame, sent[-1][:3], box)
    previous = model.decode(embedding, Prompt(frame, sent[0])).low_res_logits
    yield "clicks on a mask", Prompt(frame, sent[-1][:2], previous=previous)
    yield "many clicks on a mask", Prompt(frame, sent[-1], previous=previous)
    yield "a drawn area", Prompt(frame, sent[0], box, blob(thing))


@pytest.mark.weights
def test_every_mask_is_the_stock_decoders(fast: SamModel, stock: SamModel) -> None:
    assert (fast.decoder, stock.decoder) == ("fast", "stock")
    encoded = cache(lambda photo: stock.encode(decode_image(photo.read_bytes(), 10**9)))
    compared: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for thing in objects(quality_set()):
        for kind, prompt in prompts(thing, encoded(thing.photo), fast):
            expected, answered = (model.decode(encoded(thing.photo), prompt) for model in (stock, fast))
            error = abs(expected.iou_prediction - answered.iou_prediction)
            compared[kind].append((overlap(expected.mask, answered.mask), error))
    worst = {
        kind: (min(overlaps), max(errors))
        for kind in compared
        for overlaps, errors in [zip(*compared[kind], strict=True)]
    }
    assert len(compared["a box"]) == 55
    assert all(alike >= 0.999 and error <= 1e-4 for alike, error in worst.values()), worst
