"""What an annotator drew, as the model sees it."""

from dataclasses import dataclass, field
from typing import Literal

from server.core.geometry import Box, ImageSize, Point
from server.core.prediction import Logits, Mask
from server.errors import BadPrompt

Choice = Literal["best", "predicted", "smallest", "largest"]  # of the masks that one click may mean


@dataclass(frozen=True, slots=True)
class Prompt:
    """Points, at most one box and at most one rough mask that together ask for one mask.

    Coordinates are pixels of `frame`, the size that the editor says the image has. At least one positive point
    or a box is needed: negative points alone are a Carving.

    Attributes:
        drawn: (H, W) bool in the frame, the object's rough extent.
        previous: (h, w) logits of the mask that these marks refine, as an earlier prediction gave them.
        choice: which mask is meant where a single click may mean several: by the model's own estimate, or by size.
    """

    frame: ImageSize
    points: tuple[Point, ...] = ()
    box: Box | None = None
    drawn: Mask | None = field(default=None, compare=False)
    previous: Logits | None = field(default=None, compare=False)
    choice: Choice = "best"

    def __post_init__(self) -> None:
        if self.box is None and not any(point.positive for point in self.points):
            raise BadPrompt("a prompt needs a positive point or a box")


@dataclass(frozen=True, slots=True)
class Carving:
    """Negative points alone, in pixels of `frame`: they take something away from the mask that was answered there."""

    frame: ImageSize
    points: tuple[Point, ...]
