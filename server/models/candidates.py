"""Which of a SAM decoder's masks answers a prompt: it makes one for clear prompts, then three candidates.

A box alone gets the candidate with the best predicted IoU, as segment_anything's own graph has it; more points leave
little to choose, and get the first mask. A click alone gets the most stable candidate, from which the clicks that
follow get closer (docs/adr/0008), unless it asks for another: of the best predicted IoU, or of a size, but not an empty
one.
"""

import numpy as np
from numpy.typing import NDArray

from server.core.prompt import Choice, Prompt
from server.errors import BadOptions

_FEW = 2  # points, padding or a box's corners included: segment_anything's own graph takes a candidate up to here

_OFFSET = 1.0  # of logits


def chosen(logits: NDArray[np.float32], ious: NDArray[np.float32], prompt: Prompt) -> int:
    """The index of the mask that is answered.

    Args:
        logits: (4, h, w), or (1, h, w) of a decoder that chose itself.
        ious: (4,) or (1,), predicted.
        prompt: what was asked.

    Raises:
        BadOptions: a size is asked for of a decoder that chose itself.
    """
    choice = _asked(prompt)
    if len(logits) == 1:
        _refuse(choice)
        return 0
    if len(prompt.points) + (1 if prompt.box is None else 2) > _FEW:
        return 0
    if choice == "best":
        return 1 + int(_stability(logits[1:]).argmax())
    return 1 + _of(logits[1:], ious[1:], choice)


def candidate(logits: NDArray[np.float32], ious: NDArray[np.float32], prompt: Prompt) -> int:
    """The index of the mask that is answered, of a family that makes candidates alone.

    It is the one with the best predicted IoU, as the published code has it, unless a click alone asks for a size.

    Args:
        logits: (n, h, w).
        ious: (n,), predicted.
        prompt: what was asked.
    """
    return _of(logits, ious, _asked(prompt))


def _asked(prompt: Prompt) -> Choice:
    """What a click alone asks for; nothing else leaves a choice."""
    is_click = len(prompt.points) == 1 and prompt.box is None and prompt.drawn is None
    return prompt.choice if is_click else "predicted"


def _of(logits: NDArray[np.float32], ious: NDArray[np.float32], choice: Choice) -> int:
    """The index of the best predicted IoU, or of a size, but not an empty one."""
    areas = np.count_nonzero(logits > 0, axis=(1, 2))
    if choice in ("best", "predicted") or not areas.any():
        return int(ious.argmax())
    by_size = areas if choice == "largest" else np.where(areas > 0, -areas, -logits[0].size - 1)
    return int(by_size.argmax())


def _stability(logits: NDArray[np.float32]) -> NDArray[np.float64]:
    """(n,): IoU of each mask of (n, h, w) logits at a stricter threshold with the same at a laxer one.

    As `calculate_stability_score` of facebookresearch/segment-anything has it, with an offset of 1; 0 for an empty one.
    """
    strict, lax = (np.array([np.count_nonzero(m > offset) for m in logits]) for offset in (_OFFSET, -_OFFSET))
    ratios: NDArray[np.float64] = strict / np.maximum(lax, 1)
    return ratios


def _refuse(choice: Choice) -> None:
    if choice in ("smallest", "largest"):
        raise BadOptions(
            f"choose is {choice!r}, but the stock decoder gives one mask only: start samserve with "
            "SAMSERVE_DECODER=fast, and if it is, see its log for why the fast decoder is not used"
        )
