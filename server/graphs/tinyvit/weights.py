"""Reading a TinyViT's weights out of the stock encoder, where nodes are named after its modules."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

from server.errors import ModelUnusable
from server.graphs.weights import Floats

_BLOCK = re.compile(r"/layers\.(\d+)/blocks\.(\d+)/mlp/fc1/MatMul$")


@dataclass(frozen=True)
class Convolution:
    """A convolution, (out, in / groups, height, width) and (out,), the same in both directions."""

    weight: Floats
    bias: Floats
    stride: int
    pad: int
    groups: int

    def product(self) -> tuple[Floats, Floats]:
        """What a 1x1 convolution does to a pixel's channels: (in, out), (out,)."""
        return self.weight[:, :, 0, 0].T, self.bias


@dataclass(frozen=True)
class Norm:
    """A layer norm over C channels: (C,) each."""

    gain: Floats
    bias: Floats
    epsilon: float


class TinyViT:
    """Weights by the names of modules, such as layers.1/blocks.0/attn; float64, so that folding rounds once.

    Attributes:
        size: side in pixels of the input.
        blocks: how many transformer blocks each layer has; layer 0 is convolutional, and not among them.
    """

    def __init__(self, nodes: Mapping[str, onnx.NodeProto], values: Mapping[str, NDArray[Any]], size: int) -> None:
        self._nodes, self._values, self.size = nodes, values, size
        layers = [int(match[1]) for name in nodes if (match := _BLOCK.match(name))]
        self.blocks = {layer: layers.count(layer) for layer in sorted(set(layers))}

    def convolution(self, module: str) -> Convolution:
        """A convolution; the export folded its batch norm in."""
        node = self._nodes[f"/{module}/Conv"]
        given = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
        weight, *biases = (self._values[name].astype(np.float64) for name in node.input[1:])
        bias = biases[0] if biases else np.zeros(len(weight))
        return Convolution(weight, bias, given["strides"][0], given["pads"][0], given["group"])

    def linear(self, module: str) -> tuple[Floats, Floats]:
        """(in, out), (out,)."""
        return self._constant(f"/{module}/MatMul"), self._constant(f"/{module}/Add")

    def norm(self, module: str) -> Norm:
        """A norm over the channels of tokens, or of an image."""
        gain, bias = (self._constant(f"/{module}/{node}").reshape(-1) for node in ("Mul", "Add_1"))
        return Norm(gain, bias, float(self._constant(f"/{module}/Add")))

    def attention_bias(self, module: str) -> Floats:
        """(heads, S, S), what is added to the scores of a window of S tokens."""
        return self._constant(f"/{module}/Add")

    def _constant(self, node: str) -> Floats:
        constants = (self._values[name] for name in self._nodes[node].input if name in self._values)
        return next(constants).astype(np.float64)


def read_tinyvit(path: Path) -> TinyViT | None:
    """The weights of the stock encoder at `path`; None where it is no TinyViT.

    Raises:
        ModelUnusable: it is no graph.
    """
    try:
        graph = onnx.load(str(path)).graph
    except Exception as error:  # protobuf's errors have no common base
        raise ModelUnusable(f"{path.name} is no ONNX graph: {error}") from error
    nodes = {node.name: node for node in graph.node}
    if not any(map(_BLOCK.match, nodes)):
        return None
    values: dict[str, NDArray[Any]] = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    for node in graph.node:
        if node.op_type == "Constant" and node.attribute[0].name == "value":
            values[node.output[0]] = numpy_helper.to_array(node.attribute[0].t)
    return TinyViT(nodes, values, graph.input[0].type.tensor_type.shape.dim[-1].dim_value)
