"""Whether other graphs answer as the stock ones do, on this machine."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from server.core.geometry import Box, ImageSize, Point
from server.core.prediction import Mask, MaskPrediction
from server.core.prompt import Prompt
from server.errors import ModelUnusable
from server.models.manifest import Agreement, Preprocessing
from server.models.resize import content

_HEIGHT, _WIDTH = 192, 256  # like most photographs no square, as our own graphs leave out what pads to one
_FRAME = ImageSize(256, 256)  # of any picture; it need not have its shape, as both ways are given the same
KINDS = 6  # of example prompts

Decode = Callable[[Prompt], MaskPrediction]


@dataclass(frozen=True)
class Limits:
    """How far answers may be from those that they are compared with.

    Attributes:
        mask_iou: at least.
        logit_drift: at most, as a share of the largest logit.
        iou_error: at most, of predicted IoUs.
    """

    mask_iou: float
    logit_drift: float
    iou_error: float

    def overstepped(self, found: Agreement) -> str | None:
        """Both ends of each comparison that fails, for people; not a number fails too."""
        failures = []
        if not found.mask_iou >= self.mask_iou:
            failures.append(f"masks have an IoU of {found.mask_iou:.4f} (at least {self.mask_iou})")
        if not found.logit_drift <= self.logit_drift:
            failures.append(f"logits differ by {found.logit_drift:.2%} (at most {self.logit_drift:.0%})")
        if not found.iou_error <= self.iou_error:
            failures.append(f"predicted IoUs differ by {found.iou_error:.2g} (at most {self.iou_error:g})")
        return ", ".join(failures) or None


EXACT = Limits(0.999, 0.01, 1e-3)
ROUNDED = Limits(0.95, 0.1, 0.02)  # to 8 bits: masks go wrong where a processor's products of them are not exact


def example_picture() -> np.ndarray[tuple[int, int, int], np.dtype[np.uint8]]:
    """(H, W, 3) uint8: blots on a gradient, something to find masks in."""
    rows, columns = np.mgrid[:_HEIGHT, :_WIDTH].astype(np.float32)
    picture = np.stack([rows / 2, columns / 2, 255 - rows / 2], axis=-1)
    for number in range(6):
        y, x, radius = 30 + 26 * number, 40 + 70 * (number % 3), 12 + 5 * number
        picture[(rows - y) ** 2 + (columns - x) ** 2 < radius**2] = (250 - 40 * number, 30 * number, 90)
    return picture.astype(np.uint8)


def check_parity(stock: Decode, other: Decode, what: str, how: Preprocessing, limits: Limits = EXACT) -> None:
    """Decodes every kind of prompt on `example_picture` both ways; `what` the other way is another of goes into errors.

    Raises:
        ModelUnusable: the answers differ; the message says by how much.
    """
    for name, prompt in example_prompts(stock):
        expected = stock(prompt)
        seen = content(ImageSize(_HEIGHT, _WIDTH), len(expected.low_res_logits), how)
        if problem := limits.overstepped(compared(expected, other(prompt), seen)):
            raise ModelUnusable(f"for {name} it answers otherwise than the stock {what}: {problem}")


def compared(expected: MaskPrediction, answered: MaskPrediction, seen: ImageSize) -> Agreement:
    """How far one answer is from another; of their logits count those where the image is, `seen` from the top left."""
    wanted, given = (one.low_res_logits[: seen.height, : seen.width] for one in (expected, answered))
    return Agreement(
        mask_iou=float(overlap(expected.mask, answered.mask)),
        logit_drift=largest_share(wanted, given),
        iou_error=float(abs(expected.iou_prediction - answered.iou_prediction)),
    )


def largest_share(expected: NDArray[np.generic], found: NDArray[np.generic]) -> float:
    """The largest difference, as a share of the largest value expected."""
    wanted, given = expected.astype(np.float64), found.astype(np.float64)
    return float(np.abs(wanted - given).max() / np.abs(wanted).max())


def example_prompts(decode: Decode) -> Iterator[tuple[str, Prompt]]:
    """The KINDS of prompt on any picture, named; one refines a mask that `decode` gives."""
    frame, click, box = _FRAME, Point(110, 75), Box(60, 40, 160, 120)
    more = (click, Point(40, 40), Point(200, 200, positive=False))
    many = tuple(Point(20 + 22 * k, 230 - 17 * k, positive=k % 2 == 0) for k in range(10))
    previous = decode(Prompt(frame, (click,), choice="predicted")).low_res_logits
    drawn = np.zeros((frame.height, frame.width), np.bool_)
    drawn[50:110, 70:150] = True
    yield "a click", Prompt(frame, (click,), choice="predicted")  # as the stock decoder chooses
    yield "a box", Prompt(frame, box=box)
    yield "ten clicks", Prompt(frame, many)
    yield "a box and clicks", Prompt(frame, more, box)
    yield "clicks on a mask", Prompt(frame, more, previous=previous)
    yield "a drawn area", Prompt(frame, (click,), box, drawn)


def overlap(a: Mask, b: Mask) -> float:
    """The IoU of two masks; 1 of two empty ones."""
    union = np.count_nonzero(a | b)
    return np.count_nonzero(a & b) / union if union else 1.0
