"""What an annotator drew, as the model sees it."""

from dataclasses import dataclass

from server.core.geometry import Box, ImageSize, Point
from server.errors import BadPrompt


@dataclass(frozen=True, slots=True)
class Prompt:
    """Points and at most one box that together ask for one mask.

    Coordinates are pixels of `frame`, the size that the editor says the image has. At least one positive point
    or a box is needed: negative points alone ask for nothing.
    """

    frame: ImageSize
    points: tuple[Point, ...] = ()
    box: Box | None = None

    def __post_init__(self) -> None:
        if self.box is None and not any(point.positive for point in self.points):
            raise BadPrompt("a prompt needs a positive point or a box")
