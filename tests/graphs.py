"""A real, tiny SAM pair in ONNX: what it answers depends on the image and on every point, and can be foretold.

The encoder averages pixels in 4 x 4 blocks. The decoder answers a disc around the mean of the positive points (box
corners count), wider where the image is brighter or a mask comes with the points, with a bite taken out around each
negative point.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from server.models.manifest import Graph, Manifest, Preprocessing
from server.weights.store import sha256_of

INPUT_SIZE = 64
_LOW_RES = INPUT_SIZE // 4
_OPSET = [helper.make_opsetid("", 17)]


def tiny_model(folder: Path, pool: str = "AveragePool", images: int | str = 1) -> Manifest:
    """Writes both graphs into `folder` and gives their manifest; "MaxPool" makes another checkpoint.

    Where `images` is a name, the encoder takes any number of them.
    """
    _save(_encoder(pool, images), folder / "encoder.onnx")
    _save(_decoder(), folder / "decoder.onnx")
    names = ("image_embeddings", "point_coords", "point_labels", "mask_input", "has_mask_input", "orig_im_size")
    return Manifest(
        name="tiny",
        title="Tiny",
        family="sam",
        license="Apache-2.0",
        homepage="",
        sources=[],
        encoder=_graph(folder / "encoder.onnx", {"image": "pixels"}, {"image_embeddings": "embedding"}),
        decoder=_graph(
            folder / "decoder.onnx",
            {name: name for name in names},
            {"iou_predictions": "iou_predictions", "low_res_masks": "low_res_masks"},
        ),
        preprocessing=Preprocessing(
            INPUT_SIZE, "longest_side_bilinear_antialias", (0.0, 0.0, 0.0), (255.0, 255.0, 255.0)
        ),
    )


def _graph(path: Path, inputs: dict[str, str], outputs: dict[str, str]) -> Graph:
    return Graph(path.name, path.stat().st_size, sha256_of(path), inputs, outputs)


def _save(graph: onnx.GraphProto, path: Path) -> None:
    model = helper.make_model(graph, opset_imports=_OPSET, ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, str(path))


def _encoder(kind: str, images: int | str) -> onnx.GraphProto:
    pool = helper.make_node(kind, ["pixels"], ["embedding"], kernel_shape=[4, 4], strides=[4, 4])
    shape = [images, 3, INPUT_SIZE, INPUT_SIZE]
    return helper.make_graph(
        [pool], "encoder", [_tensor("pixels", shape)], [_tensor("embedding", [images, 3, _LOW_RES, _LOW_RES])]
    )


def _decoder() -> onnx.GraphProto:
    rows, columns = np.mgrid[:_LOW_RES, :_LOW_RES]
    grid = (np.stack([columns, rows], -1).reshape(1, -1, 1, 2) * 4 + 2).astype(np.float32)  # (1, 256, 1, 2)
    constants: dict[str, NDArray[Any] | np.float32] = {
        "grid": grid,
        "zero": np.float32(0.0),
        "half": np.float32(0.5),
        "radius": np.float32(60.0),
        "bright": np.float32(60.0),
        "bite": np.float32(100.0),
        "near": np.float32(30.0),
        "axis_points": np.array([1], np.int64),
        "axis_last": np.array([-1], np.int64),
        "axes_pair": np.array([2, 3], np.int64),
        "axis_2": np.array([2], np.int64),
        "field": np.array([1, 1, _LOW_RES, _LOW_RES], np.int64),
        "five": np.float32(5.0),
        "minus_five": np.float32(-5.0),
        "full": np.array([1, 1, 4 * _LOW_RES, 4 * _LOW_RES], np.int64),
        "one_one": np.array([1, 1], np.int64),
    }
    nodes = [
        ("Greater", ["point_labels", "half"], "is_positive"),
        ("Cast", ["is_positive"], "positive"),
        ("Equal", ["point_labels", "zero"], "is_negative"),
        ("Cast", ["is_negative"], "negative"),  # (1, N)
        ("Unsqueeze", ["positive", "axis_last"], "weight"),
        ("Mul", ["point_coords", "weight"], "weighted"),
        ("ReduceSum", ["weighted", "axis_points"], "total"),
        ("ReduceSum", ["weight", "axis_points"], "count"),
        ("Div", ["total", "count"], "centre"),  # (1, 1, 2)
        ("Unsqueeze", ["centre", "axis_points"], "centre4"),
        ("Sub", ["grid", "centre4"], "from_centre"),
        ("Mul", ["from_centre", "from_centre"], "from_centre2"),
        ("ReduceSum", ["from_centre2", "axes_pair"], "distance2"),  # (1, 256)
        ("Unsqueeze", ["point_coords", "axis_points"], "points4"),
        ("Sub", ["grid", "points4"], "from_points"),
        ("Mul", ["from_points", "from_points"], "from_points2"),
        ("ReduceSum", ["from_points2", "axis_last"], "point_distance2"),  # (1, 256, N)
        ("Less", ["point_distance2", "near"], "is_near"),
        ("Cast", ["is_near"], "nearness"),
        ("Unsqueeze", ["negative", "axis_points"], "negative3"),
        ("Mul", ["nearness", "negative3"], "bitten"),
        ("ReduceSum", ["bitten", "axis_2"], "bites"),  # (1, 256)
        ("Mul", ["bites", "bite"], "penalty"),
        ("Sub", ["radius", "distance2"], "disc"),
        ("Sub", ["disc", "penalty"], "shape"),
        ("Reshape", ["shape", "field"], "shape_map"),
        ("ReduceMean", ["image_embeddings"], "brightness_map"),
        ("Mul", ["brightness_map", "bright"], "wider"),
        ("Add", ["shape_map", "wider"], "drawn"),
        ("ReduceMean", ["mask_input"], "mask_mean"),
        ("Clip", ["mask_mean", "minus_five", "five"], "mask_nudge"),
        ("Mul", ["mask_nudge", "has_mask_input"], "mask_term"),
        ("Add", ["drawn", "mask_term"], "coarse"),
        ("Resize", ["coarse", "", "", "full"], "low_res_masks"),
        ("ReduceMean", ["brightness_map"], "brightness"),
        ("Reshape", ["brightness", "one_one"], "iou_predictions"),
    ]
    return helper.make_graph(
        [_node(kind, inputs, output) for kind, inputs, output in nodes],
        "decoder",
        [
            _tensor("image_embeddings", [1, 3, _LOW_RES, _LOW_RES]),
            _tensor("point_coords", [1, "points", 2]),
            _tensor("point_labels", [1, "points"]),
            _tensor("mask_input", [1, 1, 4 * _LOW_RES, 4 * _LOW_RES]),
            _tensor("has_mask_input", [1]),
            _tensor("orig_im_size", [2]),
        ],
        [_tensor("low_res_masks", [1, 1, 4 * _LOW_RES, 4 * _LOW_RES]), _tensor("iou_predictions", [1, 1])],
        [_constant(name, value) for name, value in constants.items()],
    )


def _node(kind: str, inputs: list[str], output: str) -> onnx.NodeProto:
    attributes: dict[str, Any] = {}
    if kind == "Cast":
        attributes["to"] = TensorProto.FLOAT
    if kind == "ReduceSum":
        attributes["keepdims"] = 0 if output in ("distance2", "point_distance2", "bites") else 1
        attributes["keepdims"] = 1 if output == "count" else attributes["keepdims"]
    if output == "brightness_map":
        attributes["axes"] = [1]
    if kind == "Resize":
        attributes |= {"mode": "linear", "coordinate_transformation_mode": "half_pixel"}
    if output in ("mask_mean", "brightness"):
        attributes["keepdims"] = 1
    return helper.make_node(kind, inputs, [output], **attributes)


def _tensor(name: str, shape: Sequence[int | str]) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)


def _constant(name: str, value: NDArray[Any] | np.float32) -> onnx.TensorProto:
    return numpy_helper.from_array(np.array(value), name)
