"""With auto-accept on, each negative click arrives alone; the real model carves it out of the region it is on."""

import numpy as np
import pytest

from tests.studio import box
from tests.weights.robot import iou, objects, quality_set, worst_leak
from tests.weights.served import Served, key_points

# mean IoU of the boxes' masks under 0.7, then after one negative click at the deepest leak of each
BEFORE, AFTER = 0.568, 0.643


@pytest.mark.weights
def test_a_lone_negative_click_brings_a_leaking_mask_closer_to_its_object(served: Served) -> None:
    ious: list[tuple[float, float]] = []
    for thing in objects(quality_set()):
        ask = served.annotator(thing)
        boxed = ask([box(*thing.bbox, *reversed(thing.mask.shape))])
        before, leak = iou(thing, boxed.prediction.mask), worst_leak(thing, boxed.prediction.mask)
        if before >= 0.7 or leak is None:
            continue
        carved = ask(key_points(thing, [(*leak, False)]))
        assert carved.region_id == boxed.region_id
        assert not carved.prediction.mask[int(leak[1]), int(leak[0])]
        ious.append((before, iou(thing, carved.prediction.mask)))
    assert np.mean(ious, axis=0) == pytest.approx((BEFORE, AFTER), abs=0.01)
