"""A mask as the items that Label Studio shows for it."""

import msgspec
import numpy as np

from server.core.bitmask import encode_bitmask
from server.core.context import Gesture
from server.core.hygiene import clean
from server.core.identifier import new_id
from server.core.labelconfig import ControlTag
from server.core.options import AnswerOptions
from server.core.polygon import polygons
from server.core.prediction import Mask, MaskPrediction
from server.core.rle import encode_rle
from server.core.shapes import ellipse, rectangle
from server.core.vector import vertices

Value = dict[str, object]


class Region(msgspec.Struct, frozen=True):
    """One item of an answer's `result`."""

    id: str
    from_name: str
    to_name: str
    type: str
    original_width: int
    original_height: int
    score: float
    value: dict[str, object]
    image_rotation: float
    origin: str = "manual"
    item_index: int | msgspec.UnsetType = msgspec.UNSET  # only multi-image tasks have it


def regions(prediction: MaskPrediction, gesture: Gesture, control: ControlTag, options: AnswerOptions) -> list[Region]:
    """The regions that hold a mask, under new ids; none when it is empty, several where one cannot hold all parts.

    The prompt's labels are kept where the control has them, and left out otherwise.
    """
    mask = clean(prediction.mask, options)
    if not mask.any():
        return []
    values = _values(mask, control.output, options.tolerance)
    score = float(np.clip(np.nan_to_num(prediction.iou_prediction), 0.0, 1.0))
    return [_region(value, mask, score, gesture, control) for value in values]


def _region(value: Value, mask: Mask, score: float, gesture: Gesture, control: ControlTag) -> Region:
    kind = control.kind.lower()
    labels = [label for label in gesture.labels if label in control.labels]
    height, width = mask.shape
    return Region(
        id=new_id(),
        from_name=control.name,
        to_name=gesture.to_name,
        type=kind,
        original_width=width,
        original_height=height,
        image_rotation=gesture.image_rotation,
        score=score,
        value={**value, kind: labels} if labels else value,
        item_index=msgspec.UNSET if gesture.item_index is None else gesture.item_index,
    )


def _values(mask: Mask, output: str | None, tolerance: float) -> list[Value]:
    match output:
        case "brush":
            return [{"format": "rle", "rle": encode_rle(mask).tolist()}]
        case "bitmask":
            return [{"imageDataURL": encode_bitmask(mask)}]
        case "polygon":
            return [{"points": ring, "closed": True} for ring in polygons(mask, tolerance)]
        case "vector":
            return [{"vertices": vertices(ring), "closed": True} for ring in polygons(mask, tolerance)]
        case "ellipse":
            return [{**ellipse(mask)}]
        case "rectangle":
            return [{**rectangle(mask)}]
        case _:
            raise ValueError(f"no region of kind {output!r} can hold a mask")
