"""Which of a SAM decoder's masks answers a prompt: it makes one for clear prompts, then three candidates."""

import numpy as np
from numpy.typing import NDArray

from server.core.prompt import Prompt
from server.errors import BadOptions

_FEW = 2  # points, padding or a box's corners included: segment_anything's own graph takes a candidate up to here

_OFFSET = 1.0  # of logits


def chosen(logits: NDArray[np.float32], ious: NDArray[np.float32], prompt: Prompt) -> int:
    """The index of the mask that is answered.

    A box alone gets the candidate with the best predicted IoU, as segment_anything's own graph has it; more points
    leave little to choose, and get the first mask. A click alone gets the most stable candidate, from which the clicks
    that follow get closer (docs/adr/0008), unless it asks for another: of the best predicted IoU, or of a size, but
    not an empty one.

    Args:
        logits: (4, h, w), or (1, h, w) of a decoder that chose itself.
        ious: (4,) or (1,), predicted.
        prompt: what was asked.

    Raises:
        BadOptions: a size is asked for of a decoder that chose itself.
    """
    is_click = len(prompt.points) == 1 and prompt.box is None and prompt.drawn is None
    choice = prompt.choice if is_click else "predicted"
    if len(logits) == 1:
        _refuse(choice)
        return 0
    if len(prompt.points) + (1 if prompt.box is None else 2) > _FEW:
        return 0
    if choice == "best":
        return 1 + int(_stability(logits[1:]).argmax())
    areas = np.count_nonzero(logits[1:] > 0, axis=(1, 2))
    if choice == "predicted" or not areas.any():
        return 1 + int(ious[1:].argmax())
    by_size = areas if choice == "largest" else np.where(areas > 0, -areas, -logits[0].size - 1)
    return 1 + int(by_size.argmax())


def _stability(logits: NDArray[np.float32]) -> NDArray[np.float64]:
    """(n,): IoU of each mask of (n, h, w) logits at a stricter threshold with the same at a laxer one.

    As `calculate_stability_score` of facebookresearch/segment-anything has it, with an offset of 1; 0 for an empty one.
    """
    strict, lax = (np.count_nonzero(logits > offset, axis=(1, 2)) for offset in (_OFFSET, -_OFFSET))
    ratios: NDArray[np.float64] = strict / np.maximum(lax, 1)
    return ratios


def _refuse(choice: str) -> None:
    if choice in ("smallest", "largest"):
        raise BadOptions(
            f"choose is {choice!r}, but the stock decoder gives one mask only: start samserve with "
            "SAMSERVE_DECODER=fast, and if it is, see its log for why the fast decoder is not used"
        )
