"""A small TinyViT with random weights, in ONNX as MobileSAM's export spells it: nodes are named after modules.

Norms and activations are in single steps, windows are padded with zeros before their norm, as in the original.
"""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

EMBEDDED = 32
_WIDTHS, _WINDOWS, _HEADS = (8, 16, 32, 32), (0, 3, 4, 3), (0, 2, 4, 4)
Array = NDArray[Any]


def write_tinyvit(path: Path, size: int) -> None:
    """Writes an encoder of (1, 3, size, size) images to (1, EMBEDDED, size / 16, size / 16) embeddings."""
    textbook = _Textbook(size, np.random.default_rng(3))
    embedding = textbook.encode("input")
    model = helper.make_model(textbook.graph(embedding), opset_imports=[helper.make_opsetid("", 12)], ir_version=7)
    onnx.checker.check_model(model)
    onnx.save(model, str(path))


class _Textbook:
    def __init__(self, size: int, rng: np.random.Generator) -> None:
        self._size, self._rng, self._nodes, self._constants = (
            size,
            rng,
            list[onnx.NodeProto](),
            list[onnx.TensorProto](),
        )

    def encode(self, image: str) -> str:
        x = self._gelu(self._conv("patch_embed/seq/seq.0/c", image, 3, _WIDTHS[0], 3, stride=2))
        x = self._conv("patch_embed/seq/seq.2/c", x, _WIDTHS[0], _WIDTHS[0], 3, stride=2)
        for block in range(2):
            x = self._inverted(f"layers.0/blocks.{block}", x, _WIDTHS[0])
        side = self._size // 4
        for layer in (1, 2, 3):
            stride = 1 if layer == 3 else 2
            x, side = self._merge(f"layers.{layer - 1}/downsample", x, layer, stride), side // stride
            x = self._do("Transpose", self._do("Reshape", x, self._ints(1, _WIDTHS[layer], -1)), perm=[0, 2, 1])
            for block in range(2 if layer == 2 else 1):
                x = self._block(f"layers.{layer}/blocks.{block}", x, layer, side)
            x = self._do("Reshape", self._do("Transpose", x, perm=[0, 2, 1]), self._ints(1, _WIDTHS[layer], side, side))
        x = self._conv("neck/neck.0", x, _WIDTHS[3], EMBEDDED, 1, bias=False)
        x = self._norm("neck/neck.1", x, EMBEDDED, axis=1)
        x = self._conv("neck/neck.2", x, EMBEDDED, EMBEDDED, 3, bias=False)
        return self._do("Identity", self._norm("neck/neck.3", x, EMBEDDED, axis=1), to="neck")

    def graph(self, output: str) -> onnx.GraphProto:
        size = self._size
        shapes = {"input": [1, 3, size, size], output: [1, EMBEDDED, size // 16, size // 16]}
        ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in shapes.items()]
        return helper.make_graph(self._nodes, "tinyvit", ends[:1], ends[1:], self._constants)

    def _inverted(self, module: str, x: str, width: int) -> str:
        inner = self._gelu(self._conv(f"{module}/conv1/c", x, width, 2 * width, 1))
        inner = self._gelu(self._conv(f"{module}/conv2/c", inner, 1, 2 * width, 3, groups=2 * width))
        return self._gelu(self._do("Add", self._conv(f"{module}/conv3/c", inner, 2 * width, width, 1), x))

    def _merge(self, module: str, x: str, layer: int, stride: int) -> str:
        width = _WIDTHS[layer]
        x = self._gelu(self._conv(f"{module}/conv1/c", x, _WIDTHS[layer - 1], width, 1))
        x = self._gelu(self._conv(f"{module}/conv2/c", x, 1, width, 3, stride, width))
        return self._conv(f"{module}/conv3/c", x, width, width, 1)

    def _block(self, module: str, x: str, layer: int, side: int) -> str:
        width = _WIDTHS[layer]
        x = self._do("Add", x, self._windowed(module, x, layer, side))
        square = self._do("Reshape", self._do("Transpose", x, perm=[0, 2, 1]), self._ints(1, width, side, side))
        local = self._conv(f"{module}/local_conv/c", square, 1, width, 3, groups=width)
        x = self._do("Transpose", self._do("Reshape", local, self._ints(1, width, -1)), perm=[0, 2, 1])
        hidden = self._linear(f"{module}/mlp/fc1", self._norm(f"{module}/mlp/norm", x, width), width, 2 * width)
        return self._do("Add", x, self._linear(f"{module}/mlp/fc2", self._gelu(hidden), 2 * width, width))

    def _windowed(self, module: str, x: str, layer: int, side: int) -> str:
        width, window = _WIDTHS[layer], _WINDOWS[layer]
        across, beyond = -(-side // window), -side % window
        square = self._do("Reshape", x, self._ints(1, side, side, width))
        padded = self._do("Pad", square, self._ints(0, 0, 0, 0, 0, beyond, beyond, 0))
        cut = self._do("Reshape", padded, self._ints(across, window, across, window, width))
        windows = self._do("Transpose", cut, perm=[0, 2, 1, 3, 4])
        rows = self._do("Reshape", windows, self._ints(across**2, window**2, width))
        answers = self._attention(f"{module}/attn", rows, layer)
        back = self._do("Reshape", answers, self._ints(across, across, window, window, width))
        whole = self._do(
            "Reshape", self._do("Transpose", back, perm=[0, 2, 1, 3, 4]), self._ints(1, *[side + beyond] * 2, width)
        )
        inside = self._do("Slice", whole, self._ints(0, 0), self._ints(side, side), self._ints(1, 2))
        return self._do("Reshape", inside, self._ints(1, side * side, width))

    def _attention(self, module: str, rows: str, layer: int) -> str:
        width, heads, size = _WIDTHS[layer], _HEADS[layer], _WINDOWS[layer] ** 2
        projected = self._linear(f"{module}/qkv", self._norm(f"{module}/norm", rows, width), width, 3 * width)
        split = self._do("Reshape", projected, self._ints(-1, size, heads, 3, width // heads))
        parts = self._do("Transpose", split, perm=[3, 0, 2, 1, 4])
        queries, keys, values = (self._do("Gather", parts, self._constant(np.array(kind)), axis=0) for kind in range(3))
        scores = self._do("MatMul", queries, self._do("Transpose", keys, perm=[0, 1, 3, 2]))
        scaled = self._do("Mul", scores, self._floats((heads / width) ** 0.5))
        biased = self._do("Add", scaled, self._weights(heads, size, size), name=f"/{module}/Add")
        mixed = self._do(
            "Transpose", self._do("MatMul", self._do("Softmax", biased, axis=-1), values), perm=[0, 2, 1, 3]
        )
        return self._linear(f"{module}/proj", self._do("Reshape", mixed, self._ints(-1, size, width)), width, width)

    def _linear(self, module: str, x: str, before: int, after: int) -> str:
        product = self._do("MatMul", x, self._weights(before, after, fan=before), name=f"/{module}/MatMul")
        return self._do("Add", self._weights(after), product, name=f"/{module}/Add")

    def _conv(
        self,
        module: str,
        x: str,
        before: int,
        after: int,
        kernel: int,
        stride: int = 1,
        groups: int = 1,
        bias: bool = True,
    ) -> str:
        weights = [self._weights(after, before, kernel, kernel, fan=before * kernel**2)]
        names = [x, *weights, *([self._weights(after)] if bias else [])]
        sizes: dict[str, Any] = {
            "kernel_shape": [kernel] * 2,
            "strides": [stride] * 2,
            "pads": [kernel // 2] * 4,
            "group": groups,
        }
        return self._do("Conv", *names, name=f"/{module}/Conv", **sizes)

    def _norm(self, module: str, x: str, width: int, axis: int = -1) -> str:
        shape = (width, 1, 1) if axis == 1 else (width,)
        centred = self._do("Sub", x, self._do("ReduceMean", x, axes=[axis]))
        variance = self._do("ReduceMean", self._do("Pow", centred, self._floats(2.0)), axes=[axis])
        deviation = self._do("Sqrt", self._do("Add", variance, self._floats(1e-5), name=f"/{module}/Add"))
        gained = self._do("Mul", self._do("Div", centred, deviation), self._weights(*shape), name=f"/{module}/Mul")
        return self._do("Add", gained, self._weights(*shape), name=f"/{module}/Add_1")

    def _gelu(self, x: str) -> str:
        error = self._do("Erf", self._do("Div", x, self._floats(2**0.5)))
        return self._do("Mul", self._do("Mul", x, self._do("Add", error, self._floats(1.0))), self._floats(0.5))

    def _weights(self, *shape: int, fan: int = 1) -> str:
        return self._constant((self._rng.normal(size=shape) / fan**0.5).astype(np.float32))

    def _floats(self, value: float) -> str:
        return self._constant(np.array(value, np.float32))

    def _ints(self, *values: int) -> str:
        return self._constant(np.array(values, np.int64))

    def _constant(self, value: Array) -> str:
        self._constants.append(numpy_helper.from_array(value, f"c{len(self._constants)}"))
        return str(self._constants[-1].name)

    def _do(self, operation: str, *inputs: str, name: str = "", to: str = "", **attributes: Any) -> str:
        output = to or f"t{len(self._nodes)}"
        self._nodes.append(helper.make_node(operation, inputs, [output], name=name, **attributes))
        return output
