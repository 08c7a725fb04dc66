"""What a SAM decoder's outputs answer to a prompt."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from server.core.geometry import ImageSize
from server.core.prediction import Logits, MaskPrediction
from server.core.prompt import Prompt
from server.models.candidates import chosen
from server.models.family import Tensors
from server.models.manifest import Preprocessing
from server.models.resize import content, logits_to_frame
from server.models.specks import without_specks

Choose = Callable[[NDArray[np.float32], NDArray[np.float32], Prompt], int]  # masks (n, h, w), predicted IoUs (n,)


def outcome(
    outputs: Tensors, size: ImageSize, prompt: Prompt, how: Preprocessing, choose: Choose = chosen
) -> MaskPrediction:
    """The mask in the prompt's frame, on an image of `size`.

    Args:
        outputs: low_res_masks (1, n, h, w), iou_predictions (1, n), n being as `choose` takes them;
            it chooses by the part where the image is.
    """
    masks, ious = (outputs[name][0].astype(np.float32, copy=False) for name in ("low_res_masks", "iou_predictions"))
    seen = content(size, masks.shape[-1], how)  # what the decoder sees in the padding is no part of anything
    number = choose(masks[:, : seen.height, : seen.width], ious, prompt)
    low_res: Logits = masks[number].copy()  # the others need not be kept with it
    return MaskPrediction(
        mask=logits_to_frame(_tidied(low_res, seen), size, prompt.frame, how),
        iou_prediction=float(ious[number]),
        low_res_logits=low_res,
    )


def _tidied(low_res: Logits, seen: ImageSize) -> Logits:
    """Without specks where the image is."""
    tidied = low_res.copy()
    tidied[: seen.height, : seen.width] = without_specks(low_res[: seen.height, : seen.width])
    return tidied
