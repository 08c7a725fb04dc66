"""A mask as the items that Label Studio shows for it."""

import msgspec
import numpy as np

from server.core.bitmask import encode_bitmask
from server.core.context import Gesture
from server.core.hygiene import clean
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


def regions(
    prediction: MaskPrediction, region_id: str, gesture: Gesture, control: ControlTag, options: AnswerOptions
) -> list[Region]:
    """The regions that hold a mask; none when it is empty, several where one cannot hold all parts.

    The first is called `region_id`, further ones that and a number. The prompt's labels are kept where the control
    has them, and left out otherwise.
    """
    mask = clean(prediction.mask, options)
    if not mask.any():
        return []
    values = enumerate(_values(mask, control.output, options.tolerance), 1)
    return [
        _region(region_id if number == 1 else f"{region_id}-{number}", value, prediction, gesture, control)
        for number, value in values
    ]


def _region(called: str, value: Value, prediction: MaskPrediction, gesture: Gesture, control: ControlTag) -> Region:
    kind = control.kind.lower()
    labels = [label for label in gesture.labels if label in control.labels]
    height, width = prediction.mask.shape
    return Region(
        id=called,
        from_name=control.name,
        to_name=gesture.to_name,
        type=kind,
        original_width=width,
        original_height=height,
        image_rotation=gesture.image_rotation,
        score=float(np.clip(np.nan_to_num(prediction.iou_prediction), 0.0, 1.0)),
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
