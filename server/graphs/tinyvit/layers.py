"""What a TinyViT is made of. Tokens are rows, (N, C), wherever products meet them; convolutions see (1, C, H, W)."""

from dataclasses import dataclass

import numpy as np

from server.graphs.emit import Emitter
from server.graphs.int8 import quantised
from server.graphs.tinyvit.weights import Convolution, Norm
from server.graphs.weights import Floats


@dataclass(frozen=True)
class Layers:
    """Emits layers into `e`.

    Attributes:
        int8: whether products have weights in 8 bits, and round what they multiply to 8 bits when they run.
    """

    e: Emitter
    int8: bool

    def convolve(self, image: str, how: Convolution) -> str:
        """(1, in, H, W) -> (1, out, H', W')."""
        weight, bias = self.e.constant(how.weight), self.e.constant(how.bias)
        strides, pads = [how.stride] * 2, [how.pad] * 4
        return self.e.do("Conv", image, weight, bias, strides=strides, pads=pads, group=how.groups)

    def multiply(self, rows: str, weight: Floats, bias: Floats, zero: int | None = None) -> str:
        """(N, in) -> (N, out).

        Args:
            zero: each row is rounded with a scale of its own, closer and slower, with this of 0..255 for 0; the further
                up it is, the more there is for what is negative.
        """
        if not self.int8:
            return self.multiply_exactly(rows, weight, bias)
        rounded, scales = (self.e.constant(value) for value in quantised(weight))
        if zero is None:
            return self.e.do("DynamicQuantizeMatMul", rows, rounded, scales, "", self.e.constant(bias))
        places, steps = self._rounded(rows, zero)
        offset = self.e.constant(np.array(zero, np.uint8))
        products = self.e.do("MatMulIntegerToFloat", places, rounded, self.e.number(1), scales, offset)
        return self.e.do("Add", self.e.do("Mul", products, steps), self.e.constant(bias))

    def multiply_exactly(self, rows: str, weight: Floats, bias: Floats) -> str:
        """(N, in) -> (N, out), never in 8 bits."""
        return self.e.do("Gemm", rows, self.e.constant(weight), self.e.constant(bias))

    def norm(self, rows: str, how: Norm) -> str:
        """(..., C), normalised over C."""
        gain, bias = self.e.constant(how.gain), self.e.constant(how.bias)
        return self.e.do("LayerNormalization", rows, gain, bias, axis=-1, epsilon=how.epsilon)

    def image(self, rows: str, side: int) -> str:
        """(side * side, C) -> (1, C, side, side)."""
        square = self.e.do("Reshape", rows, self.e.integers(1, side, side, -1))
        return self.e.do("Transpose", square, perm=[0, 3, 1, 2])

    def rows(self, image: str, channels: int) -> str:
        """(1, C, H, W) -> (H * W, C)."""
        return self.e.do("Reshape", self.e.do("Transpose", image, perm=[0, 2, 3, 1]), self.e.integers(-1, channels))

    def _rounded(self, rows: str, zero: int) -> tuple[str, str]:
        """(N, in) rows in 0..255, and (N, 1) steps between two of them; 0 for a row of zeros, which may be any."""
        e = self.e
        above, below = (e.do(reduce, rows, axes=[1]) for reduce in ("ReduceMax", "ReduceMin"))
        steps = e.do("Max", e.do("Div", above, e.number(255 - zero)), e.do("Div", below, e.number(-zero)))
        each = e.do("Reshape", steps, e.integers(-1))
        zeros = e.do("Expand", e.constant(np.array([zero], np.uint8)), e.do("Shape", each))
        return e.do("QuantizeLinear", rows, each, zeros, axis=0), steps
