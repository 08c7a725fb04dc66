"""Layers with random weights, written in ONNX the way that torch's exporter writes them.

Linear layers are products with unnamed, transposed constants; norms over channels are spelled out, with folded gains.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

Array = NDArray[Any]


class Layers:
    """A graph's nodes and constants so far."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng
        self.nodes: list[onnx.NodeProto] = []
        self.values: dict[str, onnx.TensorProto] = {}

    def do(self, operation: str, *inputs: str, to: str = "", to_type: int = 0, **attributes: Any) -> str:
        output = to or f"/{operation}_{len(self.nodes)}"
        attributes |= {"to": to_type} if to_type else {}
        self.nodes.append(helper.make_node(operation, inputs, [output], **attributes))
        return output

    def value(self, array: Array | Sequence[Any] | float, name: str = "") -> str:
        array = np.asarray(array)
        kept = array.astype(np.float32) if array.dtype.kind == "f" else array.astype(np.int64)
        name = name or f"onnx::{len(self.values)}"
        self.values[name] = numpy_helper.from_array(kept, name)
        return name

    def random(self, *shape: int, name: str = "", scale: float = 0.0) -> str:
        return self.value(self.rng.normal(0, scale or 1.5 / np.sqrt(shape[-2] if shape[1:] else 4), shape), name)

    def linear(self, rows: str, module: str, into: int, out: int) -> str:
        bias = self.random(out, name=f"{module}.bias")
        return self.do("Add", bias, self.do("MatMul", rows, self.random(into, out)))

    def gemm(self, rows: str, module: str, into: int, out: int) -> str:
        weight, bias = self.random(out, into, name=f"{module}.weight"), self.random(out, name=f"{module}.bias")
        return self.do("Gemm", rows, weight, bias, transB=1)

    def norm(self, rows: str, module: str, width: int) -> str:
        gain, bias = self.random(width, name=f"{module}.weight", scale=1), self.random(width, name=f"{module}.bias")
        return self.do("LayerNormalization", rows, gain, bias, axis=-1, epsilon=1e-5)

    def channel_norm(self, image: str, channels: int) -> str:
        centred = self.do("Sub", image, self.do("ReduceMean", image, axes=[1]))
        variance = self.do("ReduceMean", self.do("Pow", centred, self.value(2.0)), axes=[1])
        normal = self.do("Div", centred, self.do("Sqrt", self.do("Add", variance, self.value(1e-6))))
        gain, bias = self.random(channels, 1, 1, scale=1), self.random(channels, 1, 1, scale=1)
        return self.do("Add", self.do("Mul", gain, normal), bias)

    def gelu(self, image: str) -> str:
        error = self.do("Erf", self.do("Div", image, self.value(np.sqrt(2.0))))
        return self.do("Mul", self.do("Mul", image, self.do("Add", error, self.value(1.0))), self.value(0.5))

    def convolution(self, operation: str, image: str, module: str, channels: tuple[int, int]) -> str:
        weight = self.random(*channels, 2, 2, name=f"{module}.weight", scale=0.5)
        out = channels[1] if operation == "ConvTranspose" else channels[0]
        bias = self.random(out, name=f"{module}.bias")
        return self.do(operation, image, weight, bias, kernel_shape=[2, 2], strides=[2, 2])
