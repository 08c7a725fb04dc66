"""Low-resolution logits as a mask in full size, computed only where the object is.

They are enlarged to the input, their padding is cut off, and they are enlarged to the frame: both times bilinearly with
half-pixel centres, as `postprocess_masks` of facebookresearch/segment-anything does it. Only the part with positive
logits is enlarged to the frame, cut where pixels of input and frame begin together, so that every value is the same as
if the whole were.
"""

from math import gcd

import cv2
import numpy as np

from server.core.geometry import ImageSize
from server.core.prediction import Logits, Mask

_MARGIN = 2  # logits around the positive ones that an interpolation may reach


def upsampled(low_res: Logits, content: ImageSize, input_size: int, frame: ImageSize) -> Mask:
    """(H, W) bool in the frame: where the enlarged logits are over 0.

    Args:
        low_res: (h, w), square.
        content: what the image takes of the input, from its top-left corner.
        input_size: side of the encoder's square input.
    """
    mask = np.zeros((frame.height, frame.width), np.bool_)
    positive = (low_res > 0).astype(np.uint8)
    x, y, width, height = cv2.boundingRect(positive)
    if not width:
        return mask
    scale = input_size / len(low_res)
    rows, to_rows = _cut(y, height, scale, content.height, frame.height)
    columns, to_columns = _cut(x, width, scale, content.width, frame.width)
    size = (to_columns.stop - to_columns.start, to_rows.stop - to_rows.start)
    if min(size) <= 0:
        return mask  # positive in the padding alone
    enlarged = cv2.resize(low_res, (input_size, input_size), interpolation=cv2.INTER_LINEAR)
    part = cv2.resize(enlarged[rows, columns], size, interpolation=cv2.INTER_LINEAR)
    np.greater(part, 0, out=mask[to_rows, to_columns])
    return mask


def _cut(start: int, length: int, scale: float, content: int, frame: int) -> tuple[slice, slice]:
    """Along one axis: what to take of the input, and where it goes in the frame.

    Both begin and end where a pixel of the input and one of the frame do: at multiples of content / gcd.
    """
    step = content // gcd(content, frame)
    first = max(0, int((start - _MARGIN) * scale)) // step * step
    last = min(content, -(-int((start + length + _MARGIN) * scale) // step) * step)
    return slice(first, last), slice(first * frame // content, last * frame // content)
