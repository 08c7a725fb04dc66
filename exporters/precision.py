"""A graph in a smaller number format; its inputs and outputs stay float32.

fp16 is onnxruntime's own converter's work: it knows which operations have no half-precision form and where casts go.
Nothing converts to bfloat16, so that is made of the half-precision graph, whose types are exchanged.
"""

from collections.abc import Callable
from copy import deepcopy

import ml_dtypes
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper, version_converter
from onnxruntime.transformers.float16 import DEFAULT_OP_BLOCK_LIST, convert_float_to_float16
from onnxruntime.transformers.onnx_model import OnnxModel

from exporters.rounded import to_int8

_NORMS = ("LayerNormalization", "Pow", "ReduceMean", "SimplifiedLayerNormalization", "Softmax", "Sqrt")
_BFLOAT16_OPSET = 22  # the first in which convolutions have it

Convert = Callable[[onnx.ModelProto], onnx.ModelProto]


def to_fp16(model: onnx.ModelProto) -> onnx.ModelProto:
    """Weights and activations in half precision; norms and softmax, which sum over many, in float32."""
    converted: onnx.ModelProto = convert_float_to_float16(
        deepcopy(model),  # it is changed in place
        keep_io_types=True,
        op_block_list=[*DEFAULT_OP_BLOCK_LIST, *_NORMS],
        node_block_list=_within_norms(model),
    )
    OnnxModel(converted).topological_sort()  # casts are appended where they were thought of, which ONNX forbids
    return converted


def to_bf16(model: onnx.ModelProto) -> onnx.ModelProto:
    """As `to_fp16`, in bfloat16, which onnxruntime runs on some GPUs only.

    On a CPU it refuses the graph when it is loaded: NOT_IMPLEMENTED, Could not find an implementation for Conv(22).
    """
    converted = to_fp16(version_converter.convert_version(model, _BFLOAT16_OPSET))
    graph = converted.graph
    for tensor in graph.initializer:
        _exchange(tensor)
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("t"):
                _exchange(attribute.t)
            if node.op_type == "Cast" and attribute.i == TensorProto.FLOAT16:
                attribute.i = TensorProto.BFLOAT16
    for value in graph.value_info:
        if value.type.tensor_type.elem_type == TensorProto.FLOAT16:
            value.type.tensor_type.elem_type = TensorProto.BFLOAT16
    return converted


CONVERSIONS: dict[str, Convert] = {"fp16": to_fp16, "bf16": to_bf16, "int8": to_int8}


def _within_norms(model: onnx.ModelProto) -> list[str]:
    """Names of what adds epsilon to a variance: half precision would round it to nothing."""
    roots = {name for node in model.graph.node if node.op_type == "Sqrt" for name in node.input}
    return [node.name for node in model.graph.node if node.name and roots.intersection(node.output)]


def _exchange(tensor: onnx.TensorProto) -> None:
    if tensor.data_type == TensorProto.FLOAT16:
        rounded = numpy_helper.to_array(tensor).astype(ml_dtypes.bfloat16)
        content = rounded.view(np.uint16).tobytes()
        tensor.CopyFrom(helper.make_tensor(tensor.name, TensorProto.BFLOAT16, rounded.shape, content, raw=True))
