"""Writing an ONNX graph one operation at a time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

_OWN = "com.microsoft"  # operations that only onnxruntime has
_OWN_OPERATIONS = ("BiasGelu", "DynamicQuantizeMatMul", "Gelu", "MatMulIntegerToFloat", "MultiHeadAttention")
_OPSETS = (helper.make_opsetid("", 17), helper.make_opsetid(_OWN, 1))
_IR_VERSION = 8
Shape = Sequence[int | str]


@dataclass(frozen=True)
class OnnxGraph:
    """A finished graph: the file's content, and the names of its tensors."""

    content: bytes
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


class Emitter:
    """A graph under construction. Tensors are named by strings; operations are emitted in the order they run."""

    def __init__(self) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._constants: dict[tuple[Any, ...], onnx.TensorProto] = {}

    def constant(self, value: NDArray[Any]) -> str:
        """The name of a constant; floats are kept as float32, equal ones once."""
        kept = np.array(value, np.float32 if np.issubdtype(value.dtype, np.floating) else value.dtype, order="C")
        key = (kept.shape, kept.dtype.str, kept.tobytes())
        if key not in self._constants:
            self._constants[key] = numpy_helper.from_array(kept, f"c{len(self._constants)}")
        return str(self._constants[key].name)

    def integers(self, *values: int) -> str:
        """The name of a constant 1-D int64 tensor: a shape, or axes."""
        return self.constant(np.array(values, np.int64))

    def number(self, value: float) -> str:
        """The name of a constant float32 scalar."""
        return self.constant(np.array(float(value)))

    def do(self, operation: str, *inputs: str, **attributes: Any) -> str:
        """Emits an operation with one output, and names it."""
        return self.do_for(1, operation, *inputs, **attributes)[0]

    def do_for(self, outputs: int, operation: str, *inputs: str, **attributes: Any) -> tuple[str, ...]:
        """Emits an operation with several outputs, and names them."""
        names = tuple(f"t{len(self._nodes)}_{k}" for k in range(outputs))
        domain = _OWN if operation in _OWN_OPERATIONS else ""
        self._nodes.append(helper.make_node(operation, inputs, names, domain=domain, **attributes))
        return names

    def model(self, inputs: Mapping[str, Shape], outputs: Mapping[str, tuple[str, Shape]]) -> OnnxGraph:
        """The finished graph; `outputs` maps its names to (tensor, shape)."""
        nodes = [*self._nodes, *(helper.make_node("Identity", [of], [name]) for name, (of, _) in outputs.items())]
        graph = helper.make_graph(
            nodes,
            "samserve",
            [_float(name, shape) for name, shape in inputs.items()],
            [_float(name, shape) for name, (_, shape) in outputs.items()],
            list(self._constants.values()),
        )
        model = helper.make_model(graph, opset_imports=_OPSETS, ir_version=_IR_VERSION, producer_name="samserve")
        return OnnxGraph(model.SerializeToString(), tuple(inputs), tuple(outputs))


def _float(name: str, shape: Shape) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
