"""With auto-accept on, each negative click arrives alone; the real model carves it out of the region it is on."""

from pathlib import Path

import numpy as np
import pytest

from server.core.context import Gesture
from server.core.embedding import ImageEmbedding
from server.core.geometry import Box, Point
from server.core.prompt import Carving, Prompt
from server.core.reference import ImageReference
from server.images.decode import decode_image
from server.runtime.model import SamModel
from server.service.refiner import Refined, Refiner
from tests.weights.robot import Object, iou, objects, quality_set, worst_leak

# mean IoU of the boxes' masks under 0.7 among the objects of the first photographs, then after one lone negative click
PHOTOS, BEFORE, AFTER = 12, 0.563, 0.644


def answer(refiner: Refiner, embedding: ImageEmbedding, thing: Object, prompt: Prompt | Carving) -> Refined:
    refined = refiner.decode(embedding, ImageReference(thing.photo.name, "1"), Gesture(prompt, "image", "kp"))
    assert refined is not None
    return refined


@pytest.mark.weights
def test_a_lone_negative_click_brings_a_leaking_mask_closer_to_its_object(mobile_sam: SamModel) -> None:
    embeddings: dict[Path, ImageEmbedding] = {}
    ious: list[tuple[float, float]] = []
    for thing in objects(quality_set(), PHOTOS):
        if thing.photo not in embeddings:
            embeddings[thing.photo] = mobile_sam.encode(decode_image(thing.photo.read_bytes(), 10**9))
        embedding, refiner = embeddings[thing.photo], Refiner(mobile_sam, lambda: 0.0)
        boxed = answer(refiner, embedding, thing, Prompt(embedding.size, box=Box(*thing.bbox)))
        before = iou(thing, boxed.prediction.mask)
        leak = worst_leak(thing, boxed.prediction.mask)
        if before >= 0.7 or leak is None:
            continue
        carving = Carving(embedding.size, (Point(*leak, positive=False),))
        carved = answer(refiner, embedding, thing, carving)
        assert carved.region_id == boxed.region_id
        assert not carved.prediction.mask[int(leak[1]), int(leak[0])]
        ious.append((before, iou(thing, carved.prediction.mask)))
    before, after = np.mean(ious, axis=0).round(3)
    assert (before, after) == pytest.approx((BEFORE, AFTER), abs=0.01), len(ious)
