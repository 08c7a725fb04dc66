"""In which number format a graph's weights are, as the graph itself tells."""

from pathlib import Path

import onnx
from onnx import TensorProto

_COARSEST_FIRST = {TensorProto.INT8: "int8", TensorProto.BFLOAT16: "bf16", TensorProto.FLOAT16: "fp16"}


def precision(path: Path) -> str:
    """int8, bf16, fp16 or fp32: the coarsest of its matrices and kernels, as int8 graphs keep convolutions in fp32.

    Weights in files beside the graph are not read.
    """
    graph = onnx.load(str(path), load_external_data=False).graph
    found = {tensor.data_type for tensor in graph.initializer if len(tensor.dims) > 1}
    return next((name for kind, name in _COARSEST_FIRST.items() if kind in found), "fp32")
