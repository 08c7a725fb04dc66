"""Whether an answer is right: its mask, decoded, against the object that was clicked on."""

import json

from benchmarks.backend import Answer
from server.core.geometry import ImageSize
from server.core.prediction import Mask
from server.core.rle_decode import decode_rle
from server.errors import BadPrompt

RIGHT = 0.8  # IoU; one click on a pebble gives 0.97 or more


def overlap(answer: Answer, expected: Mask) -> float:
    """IoU of the answered mask with the (H, W) expected one; 0 when there is no mask of that size to be understood."""
    try:
        region = json.loads(answer.content)["results"][0]["result"][0]
        mask = decode_rle(region["value"]["rle"], ImageSize(region["original_height"], region["original_width"]))
    except (ValueError, LookupError, TypeError, BadPrompt):
        return 0.0
    if mask.shape != expected.shape:
        return 0.0
    union = int((mask | expected).sum())
    return int((mask & expected).sum()) / union if union else 0.0
