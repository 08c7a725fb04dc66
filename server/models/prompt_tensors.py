"""A prompt as the tensors that SAM's prompt encoder takes, in every family that has one like it."""

import numpy as np
from numpy.typing import NDArray

from server.core.geometry import ImageSize
from server.core.prediction import Logits
from server.core.prompt import Prompt
from server.models.family import Tensors
from server.models.manifest import Preprocessing
from server.models.resize import mask_to_input, points_to_input

_POSITIVE, _NEGATIVE, _PADDING, _TOP_LEFT, _BOTTOM_RIGHT = 1.0, 0.0, -1.0, 2.0, 3.0
_DRAWN_LOGIT = 7.0  # how sure a drawn mask is; 7 to 15 gave the same masks


def prompt_tensors(
    prompt: Prompt, size: ImageSize, mask_side: int, how: Preprocessing, *, pads_box: bool = False
) -> Tensors:
    """All but what is known of the image, for a prompt on an image of `size`.

    A padding point follows the clicks where there is no box; with `pads_box` it follows a box too.

    Gives:
        point_coords: (1, N, 2) float32 in pixels of the encoder's input.
        point_labels: (1, N) float32.
        mask_input: (1, 1, mask_side, mask_side) float32 logits, of the mask that is refined or of a drawn one.
        has_mask_input: (1,) float32, 0 where there is neither.
    """
    coords, labels = _points(prompt, size, how, pads_box)
    mask = _mask_input(prompt, mask_side, how)
    no_mask = np.zeros((mask_side, mask_side), np.float32)
    return {
        "point_coords": coords[None],
        "point_labels": labels[None],
        "mask_input": (no_mask if mask is None else mask)[None, None],  # (h, w) -> (1, 1, h, w)
        "has_mask_input": np.array([mask is not None], np.float32),
    }


def _points(
    prompt: Prompt, size: ImageSize, how: Preprocessing, pads_box: bool
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """(N, 2) and (N,)."""
    rows = [(point.x, point.y, _POSITIVE if point.positive else _NEGATIVE) for point in prompt.points]
    if prompt.box is not None:
        rows += [(prompt.box.x1, prompt.box.y1, _TOP_LEFT), (prompt.box.x2, prompt.box.y2, _BOTTOM_RIGHT)]
    if prompt.box is None or pads_box:
        rows.append((0.0, 0.0, _PADDING))
    points = np.array(rows, np.float64)  # (N, 3)
    return points_to_input(points[:, :2], prompt.frame, size, how), points[:, 2].astype(np.float32)


def _mask_input(prompt: Prompt, side: int, how: Preprocessing) -> Logits | None:
    """(side, side)."""
    if prompt.previous is not None or prompt.drawn is None:
        return prompt.previous
    return (2 * mask_to_input(prompt.drawn, side, how) - 1) * _DRAWN_LOGIT
