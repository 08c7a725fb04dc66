"""The published MobileSAM graphs as the checkpoint that they were exported from, with the published names."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper

from server.graphs.stock import read_decoder

_BN_EPSILON = 1e-5
_WINDOWS = {"1": 7, "2": 14, "3": 7}  # by stage
_OF_MASK_DECODER = ("transformer", "output_upscaling", "output_hypernetworks_mlps", "iou_prediction_head")
State = dict[str, torch.Tensor]
Array = NDArray[np.generic]


def unfolded(folder: Path) -> State:
    """The tensors in encoder.onnx and sam.onnx; but for the classifier, which no graph has."""
    graph = onnx.load(str(folder / "encoder.onnx")).graph
    arrays = {f"image_encoder.{name}": array for name, array in _encoder(graph)} | dict(_decoder(folder / "sam.onnx"))
    return {name: torch.from_numpy(np.array(array, np.float32)) for name, array in arrays.items()}


def _encoder(graph: onnx.GraphProto) -> Iterator[tuple[str, Array]]:
    values = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    yield from ((name, value) for name, value in values.items() if not name.startswith("onnx::"))
    constants = {node.output[0]: node.attribute[0].t for node in graph.node if node.op_type == "Constant"}
    for node in graph.node:
        module = ".".join(node.name.strip("/").replace("seq/seq", "seq").split("/")[:-1])
        if node.op_type == "Conv" and module.endswith(".c"):
            yield from _convolution(module.removesuffix(".c"), *(values[name] for name in node.input[1:]))
        elif node.op_type == "MatMul" and node.input[1] in values:
            yield f"{module}.weight", values[node.input[1]].T
        elif node.op_type == "Add" and module.endswith(".attn"):
            table = next(numpy_helper.to_array(constants[name]) for name in node.input if name in constants)
            yield f"{module}.attention_biases", _biases(table, _WINDOWS[module.split(".")[1]])
    norms = [value[:, 0, 0] for value in values.values() if value.shape[1:] == (1, 1)]
    names = ("neck.1.weight", "neck.1.bias", "neck.3.weight", "neck.3.bias")
    yield from zip(names, norms, strict=True)


def _convolution(module: str, weight: Array, bias: Array) -> Iterator[tuple[str, Array]]:
    """With the norm that was folded into it as one that does nothing but add the bias."""
    one = np.ones(len(weight), np.float32)
    yield f"{module}.c.weight", weight
    yield f"{module}.bn.weight", one
    yield f"{module}.bn.bias", bias
    yield f"{module}.bn.running_mean", 0 * one
    yield f"{module}.bn.running_var", one - _BN_EPSILON
    yield f"{module}.bn.num_batches_tracked", np.zeros((), np.float32)


def _biases(table: Array, window: int) -> Array:
    """(heads, N, N) -> (heads, N): the first row of pairs has every offset once, in the order of TinyViT's own list."""
    return table.reshape(-1, window**2, window**2)[:, 0]


def _decoder(path: Path) -> Iterator[tuple[str, Array]]:
    weights = read_decoder(path)
    for name, array in weights.arrays.items():
        if name in ("tokens", "no_mask_embed"):
            continue
        half = "mask_decoder" if name.startswith(_OF_MASK_DECODER) else "prompt_encoder"
        is_linear = name.endswith(".weight") and array.ndim == 2 and half == "mask_decoder"
        yield f"{half}.{name}", array.T if is_linear else array
    yield "mask_decoder.iou_token.weight", weights["tokens"][:1]
    yield "mask_decoder.mask_tokens.weight", weights["tokens"][1:]
    yield "prompt_encoder.no_mask_embed.weight", weights["no_mask_embed"][None]
