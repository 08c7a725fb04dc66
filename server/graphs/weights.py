"""A SAM decoder's weights, named as segment_anything names its modules."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from server.errors import ModelUnusable

Floats = NDArray[np.float64]
HEADS = 8  # of every attention


@dataclass(frozen=True)
class DecoderWeights:
    """Arrays by name, in float64 so that what is folded from them is rounded once.

    Attributes:
        arrays: a linear layer's weight is (in, out), a transposed convolution's (in, out, 2, 2), a convolution's
            (out, in, height, width); `tokens` are those that become answers, (5, D): the IoU token,
            then the mask tokens; HQ-SAM's own is the sixth, SAM 2's own (is there an object?) comes before.
        grid: side of the image embedding.
        input_size: side in pixels of the encoder's input, which points are relative to.
        family: whose decoder it is.
    """

    arrays: Mapping[str, Floats]
    grid: int
    input_size: int
    family: Literal["sam", "hq_sam", "sam2"]

    def __getitem__(self, name: str) -> Floats:
        if name not in self.arrays:
            raise ModelUnusable(f"the decoder has no {name}, which every SAM decoder has")
        return self.arrays[name]

    def layer(self, name: str) -> tuple[Floats, Floats]:
        """(weight, bias) of a linear layer, a convolution or a norm."""
        return self[f"{name}.weight"], self[f"{name}.bias"]

    @property
    def is_hq(self) -> bool:
        """Whether a sixth token asks for a mask of high quality, which is added to each of the others."""
        return self.family == "hq_sam"

    @property
    def is_sam2(self) -> bool:
        """Whether two finer maps of the image, of 4 and 16 positions per pixel, are added while upscaling."""
        return self.family == "sam2"

    @property
    def iou_token(self) -> int:
        """Which of the tokens is for the IoUs; the mask tokens follow."""
        return 1 if self.is_sam2 else 0

    @property
    def width(self) -> int:
        """Channels of a token and of the image embedding."""
        return int(self["tokens"].shape[1])

    @property
    def pixels(self) -> int:
        """Image tokens: positions of the image embedding."""
        return self.grid**2
