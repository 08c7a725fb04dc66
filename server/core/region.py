"""A mask as the item that Label Studio shows for it."""

import secrets
import string

import msgspec
import numpy as np

from server.core.context import Gesture
from server.core.labelconfig import ControlTag
from server.core.prediction import MaskPrediction
from server.core.rle import encode_rle

_ALPHABET = string.ascii_letters + string.digits + "_-"  # of the editor's own ids


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


def brush_region(prediction: MaskPrediction, gesture: Gesture, control: ControlTag) -> Region | None:
    """The brush region that holds a mask, under a new id; None when the mask is empty.

    The prompt's labels are kept where the control has them, and left out otherwise.
    """
    if not prediction.mask.any():
        return None
    kind = control.kind.lower()
    value: dict[str, object] = {"format": "rle", "rle": encode_rle(prediction.mask).tolist()}
    labels = [label for label in gesture.labels if label in control.labels]
    if labels:
        value[kind] = labels
    height, width = prediction.mask.shape
    return Region(
        id=new_region_id(),
        from_name=control.name,
        to_name=gesture.to_name,
        type=kind,
        original_width=width,
        original_height=height,
        image_rotation=gesture.image_rotation,
        score=float(np.clip(np.nan_to_num(prediction.iou_prediction), 0.0, 1.0)),
        value=value,
        item_index=msgspec.UNSET if gesture.item_index is None else gesture.item_index,
    )


def new_region_id() -> str:
    """Ten random characters, 60 bits: an answer that repeated a region's id would replace that region."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(10))
