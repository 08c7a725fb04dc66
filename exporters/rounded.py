"""Products with constant weights, in 8 bits: weights when they are written, activations when they run."""

from copy import deepcopy

import numpy as np
import onnx
from onnx import helper, numpy_helper

from server.graphs.int8 import quantised

_OWN = "com.microsoft"  # onnxruntime's own operations


def to_int8(model: onnx.ModelProto) -> onnx.ModelProto:
    """Each product of activations with a constant matrix becomes onnxruntime's DynamicQuantizeMatMul.

    Convolutions stay as they are: onnxruntime's in 8 bits are slower on a CPU than in float32. Only a CPU with exact
    8-bit products (VNNI, or ARM's dot products) gets good masks and gets faster; on a GPU such graphs do not pay.
    """
    converted = deepcopy(model)
    graph = converted.graph
    constants = {tensor.name: tensor for tensor in graph.initializer}
    added: list[onnx.TensorProto] = []
    for place, node in enumerate(graph.node):
        if _is_product(node, constants):
            product, tensors = _rounded(node, constants)
            graph.node[place].CopyFrom(product)
            added += tensors
    used = {name for node in graph.node for name in node.input}
    kept = [tensor for tensor in graph.initializer if tensor.name in used]
    unique = {tensor.name: tensor for tensor in added}  # a weight may be shared
    del graph.initializer[:]
    graph.initializer.extend([*kept, *unique.values()])
    if added and _OWN not in {opset.domain for opset in converted.opset_import}:
        converted.opset_import.append(helper.make_opsetid(_OWN, 1))
    return converted


def _is_product(node: onnx.NodeProto, constants: dict[str, onnx.TensorProto]) -> bool:
    if node.op_type not in ("MatMul", "Gemm") or node.domain not in ("", "ai.onnx"):
        return False
    weight = constants.get(node.input[1])
    if weight is None or weight.data_type != onnx.TensorProto.FLOAT or len(weight.dims) != 2:
        return False
    bias = constants.get(node.input[2]) if len(node.input) > 2 else None
    has_odd_bias = len(node.input) > 2 and (
        bias is None or len(bias.dims) != 1 or bias.dims[0] != _columns(node, weight)
    )
    given = {a.name: helper.get_attribute_value(a) for a in node.attribute}
    is_plain = given.get("alpha", 1.0) == 1.0 and given.get("beta", 1.0) == 1.0 and not given.get("transA", 0)
    return is_plain and not has_odd_bias


def _rounded(
    node: onnx.NodeProto, constants: dict[str, onnx.TensorProto]
) -> tuple[onnx.NodeProto, list[onnx.TensorProto]]:
    weight = numpy_helper.to_array(constants[node.input[1]]).astype(np.float64)
    side = "columns" if _is_transposed(node) else "rows"
    values, scales = quantised(weight.T if _is_transposed(node) else weight)
    name = f"{node.input[1]}_{side}"
    tensors = [
        numpy_helper.from_array(np.ascontiguousarray(values), f"{name}_int8"),
        numpy_helper.from_array(scales, f"{name}_scales"),
    ]
    bias = [node.input[2]] if len(node.input) > 2 else []
    inputs = [node.input[0], *(tensor.name for tensor in tensors), "", *bias]
    return helper.make_node("DynamicQuantizeMatMul", inputs, node.output, node.name, domain=_OWN), tensors


def _is_transposed(node: onnx.NodeProto) -> bool:
    return any(attribute.name == "transB" and attribute.i for attribute in node.attribute)


def _columns(node: onnx.NodeProto, weight: onnx.TensorProto) -> int:
    return int(weight.dims[0 if _is_transposed(node) else 1])
