"""The image graph: what a click needs of an image, computed once per image.

Layer 0 attends to the image as the encoder left it, so its keys, values and queries are the image's alone; so is what
the first upscaling makes of it.
"""

from server.graphs.algebra import grid_encoding
from server.graphs.emit import Emitter, OnnxGraph, Shape
from server.graphs.finer import finer_maps, finer_tensors, in_rows
from server.graphs.upscale import upscaled_image_weight
from server.graphs.weights import HEADS, DecoderWeights

_KEYS = "transformer.layers.0.cross_attn_token_to_image.k_proj"
_VALUES = "transformer.layers.0.cross_attn_token_to_image.v_proj"
_QUERIES = "transformer.layers.0.cross_attn_image_to_token.q_proj"


def image_tensors(weights: DecoderWeights) -> dict[str, tuple[int, ...]]:
    """The derived tensors and their shapes; N pixels of D channels, `heads` of d."""
    pixels, head = weights.pixels, weights[f"{_KEYS}.weight"].shape[1] // HEADS
    own = finer_tensors(weights) if weights.is_sam2 else {}
    return own | {
        "pixels": (pixels, weights.width),
        "keys": (HEADS, head, pixels),
        "values": (HEADS, pixels, head),
        "queries": (HEADS, head, pixels),
        "upscaled": (pixels, upscaled_image_weight(weights).shape[1]),
    }


def image_graph(weights: DecoderWeights) -> OnnxGraph:
    """(1, D, grid, grid) `image_embeddings`, and SAM 2's `finer_maps` -> `image_tensors`."""
    e, shapes = Emitter(), image_tensors(weights)
    columns = e.do("Reshape", "image_embeddings", e.integers(weights.width, weights.pixels))  # (D, N)
    rows = e.do("Transpose", columns, perm=[1, 0])
    pixels = e.do("Add", rows, e.constant(weights["no_mask_embed"]))
    outputs = {"pixels": pixels}
    encoding = grid_encoding(weights["pe_layer.positional_encoding_gaussian_matrix"], weights.grid)
    for name, module in (("keys", _KEYS), ("queries", _QUERIES)):
        weight = weights[f"{module}.weight"]
        of_place = (weights["no_mask_embed"] + encoding) @ weight  # (N, heads * d)
        projected = e.do("MatMul", e.constant(weight.T), columns)  # (heads * d, N)
        outputs[name] = e.do("Reshape", e.do("Add", projected, e.constant(of_place.T)), e.integers(*shapes[name]))
    values = e.do("MatMul", pixels, e.constant(weights[f"{_VALUES}.weight"]))
    by_head = e.do("Reshape", values, e.integers(weights.pixels, HEADS, -1))
    outputs["values"] = e.do("Transpose", by_head, perm=[1, 0, 2])
    outputs["upscaled"] = e.do("MatMul", pixels, e.constant(upscaled_image_weight(weights)))
    inputs: dict[str, Shape] = {"image_embeddings": [1, weights.width, weights.grid, weights.grid]}
    if weights.is_sam2:
        inputs |= finer_maps(weights)
        outputs |= in_rows(e, weights)
    return e.model(inputs, {name: (outputs[name], shapes[name]) for name in shapes})
