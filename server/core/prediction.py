"""What the decoder answers to one prompt."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]  # (H, W), True where the object is
Logits = NDArray[np.float32]  # (h, w), positive where the object is


@dataclass(frozen=True, slots=True, eq=False)
class MaskPrediction:
    """One mask.

    Attributes:
        mask: (H, W) bool in the prompt's frame.
        iou_prediction: the model's own estimate of the mask's IoU; may exceed 1 slightly.
        low_res_logits: (h, w) float32 before upsampling, padding included.
    """

    mask: Mask
    iou_prediction: float
    low_res_logits: Logits
