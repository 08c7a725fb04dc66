"""Reading the weights out of a stock decoder: segment_anything's own ONNX export, or samserve's of HQ-SAM or SAM 2."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

from server.errors import ModelUnusable
from server.graphs.weights import DecoderWeights, Floats

_MODULES = re.compile(
    r"(transformer|output_upscaling|output_hypernetworks_mlps|iou_prediction_head|pe_layer|point_embeddings"
    r"|not_a_point_embed|mask_downscaling|hf_mlp|embedding_maskfeature)\.[\w.]+$"
)
_CHANNEL_NORMS = ("mask_downscaling.0", "mask_downscaling.3", "output_upscaling.0", "embedding_maskfeature.0")


def read_decoder(path: Path) -> DecoderWeights:
    """The weights of the stock decoder at `path`.

    Raises:
        ModelUnusable: it is no graph, or none of a SAM decoder as segment_anything exports it.
    """
    try:
        graph = onnx.load(str(path)).graph
    except Exception as error:  # protobuf's errors have no common base
        raise ModelUnusable(f"{path.name} is no ONNX graph: {error}") from error
    try:
        return _Reader(graph).weights()
    except (KeyError, StopIteration, IndexError) as error:
        raise ModelUnusable(f"{path.name} is no SAM decoder as segment_anything exports it: {error!r}") from error


class _Reader:
    """One graph's nodes and constants, and the ways in which a weight can be found among them."""

    def __init__(self, graph: onnx.GraphProto) -> None:
        self._nodes = [node for node in graph.node if node.op_type != "Identity"]
        self._maker = {output: node for node in graph.node for output in node.output}
        self._values = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
        for node in graph.node:
            if node.op_type == "Constant" and node.attribute[0].name == "value":
                self._values[node.output[0]] = numpy_helper.to_array(node.attribute[0].t)
            elif node.op_type == "Identity" and node.input[0] in self._values:  # torch keeps equal tensors once
                self._values[node.output[0]] = self._values[node.input[0]]
        self._modules = {_renamed(found[0]): name for name in self._values if (found := _MODULES.search(name))}
        self._inputs = {tensor.name: tensor for tensor in graph.input}
        self._grid = self._inputs["image_embeddings"].type.tensor_type.shape.dim[2].dim_value

    def weights(self) -> DecoderWeights:
        arrays: dict[str, NDArray[np.generic]] = {module: self._values[name] for module, name in self._modules.items()}
        arrays |= self._linears()
        for convolution in _CHANNEL_NORMS:
            if f"{convolution}.weight" in self._modules:
                arrays |= self._channel_norm(*convolution.split("."))
        family = self._family()
        arrays["tokens"] = self._shaped(1, 5 if family == "sam" else 6, None)[0]
        arrays["no_mask_embed"] = self._shaped(1, arrays["tokens"].shape[1], 1, 1)[0, :, 0, 0]
        in_double: dict[str, Floats] = {name: array.astype(np.float64) for name, array in arrays.items()}
        return DecoderWeights(in_double, self._grid, self._input_size(), family)

    def _family(self) -> Literal["sam", "hq_sam", "sam2"]:
        """By what its decoder has of the image besides the embedding."""
        if "hq_features" in self._inputs:
            return "hq_sam"
        return "sam2" if "high_res_feats_0" in self._inputs else "sam"

    def _linears(self) -> dict[str, NDArray[np.generic]]:
        """Weights of linear layers as (in, out): a bias leads to the product that it is added to."""
        return {
            f"{module.removesuffix('.bias')}.weight": weight
            for module, name in self._modules.items()
            if module.endswith(".bias")
            for node in self._nodes
            if name in node.input
            for weight in self._multiplied(node)
        }

    def _multiplied(self, node: onnx.NodeProto) -> Iterator[NDArray[np.generic]]:
        if node.op_type == "Gemm":
            weight = self._values[node.input[1]]
            yield weight.T if any(a.name == "transB" and a.i for a in node.attribute) else weight
        elif node.op_type == "Add":
            products = [self._maker[name] for name in node.input if name in self._maker]
            yield from (self._values[product.input[1]] for product in products if product.op_type == "MatMul")

    def _channel_norm(self, sequence: str, number: str) -> dict[str, NDArray[np.generic]]:
        """Gain and bias of the norm over channels that follows a convolution: constants of shape (C, 1, 1)."""
        weight = self._modules[f"{sequence}.{number}.weight"]
        start = next(k for k, node in enumerate(self._nodes) if weight in node.input)
        gain, bias = self._following(start, "Mul"), self._following(start, "Add")
        module = f"{sequence}.{int(number) + 1}"
        return {f"{module}.weight": gain, f"{module}.bias": bias}

    def _following(self, start: int, operation: str) -> NDArray[np.generic]:
        return next(
            self._values[name][:, 0, 0]
            for node in self._nodes[start:]
            if node.op_type == operation
            for name in node.input
            if name in self._values and self._values[name].shape[1:] == (1, 1)
        )

    def _shaped(self, *shape: int | None) -> NDArray[np.generic]:
        """The constant of this shape; None stands for any size."""
        return next(
            value
            for value in self._values.values()
            if value.ndim == len(shape)
            and all(want in (None, size) for want, size in zip(shape, value.shape, strict=True))
        )

    def _input_size(self) -> int:
        """What points are divided by, once half a pixel is added."""
        shifted = next(
            k for k, node in enumerate(self._nodes) if node.op_type == "Add" and "point_coords" in node.input
        )
        divided = next(
            node for node in self._nodes[shifted:] if node.op_type == "Div" and node.input[1] in self._values
        )
        return int(self._values[divided.input[1]])


def _renamed(module: str) -> str:
    """SAM 2 calls the linear layers of the transformer's MLPs otherwise."""
    return module.replace(".mlp.layers.0.", ".mlp.lin1.").replace(".mlp.layers.1.", ".mlp.lin2.")
