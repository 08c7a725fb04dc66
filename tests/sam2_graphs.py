"""A real, tiny SAM 2 pair in ONNX: three maps of the image, and four discs around the first point.

The discs are wider where all three maps are bright, and wider yet with a mask.
"""

from pathlib import Path

import onnx
from onnx.parser import parse_model

from server.models.manifest import Graph, Manifest, Preprocessing
from server.weights.store import sha256_of

INPUT_SIZE = 64
RADII = (20, 8, 14, 26)  # px of the input, of a dark image; the single mask's first

_ENCODER = """
<ir_version: 8, opset_import: ["": 17]>
encoder (float[1, 3, 64, 64] image)
    => (float[1, 3, 4, 4] image_embeddings, float[1, 3, 16, 16] high_res_feats_0, float[1, 3, 8, 8] high_res_feats_1) {
    image_embeddings = AveragePool <kernel_shape = [16, 16], strides = [16, 16]> (image)
    high_res_feats_0 = AveragePool <kernel_shape = [4, 4], strides = [4, 4]> (image)
    high_res_feats_1 = AveragePool <kernel_shape = [8, 8], strides = [8, 8]> (image)
}
"""
_DECODER = f"""
<ir_version: 8, opset_import: ["": 17]>
decoder (
    float[1, 3, 4, 4] image_embeddings, float[1, 3, 16, 16] high_res_feats_0, float[1, 3, 8, 8] high_res_feats_1,
    float[1, points, 2] point_coords, float[1, points] point_labels,
    float[1, 1, 16, 16] mask_input, float[1] has_mask_input
) => (float[1, 4, 16, 16] low_res_masks, float[1, 4] iou_predictions)
<
    float[1, 4, 1, 1] squares = {{{", ".join(str(radius**2) for radius in RADII)}}},
    float[16, 1] down = {{{", ".join(str(4 * k + 2) for k in range(16))}}},
    float[1, 4] ious = {{0.5, 0.6, 0.9, 0.7}}
> {{
    coarse = ReduceMean <keepdims = 1> (image_embeddings)
    fine = ReduceMean <keepdims = 1> (high_res_feats_1)
    finer = ReduceMean <keepdims = 1> (high_res_feats_0)
    bright = Sum (coarse, fine, finer)
    scale = Constant <value_float = 100.0> ()
    wider = Mul (bright, scale)
    zero = Constant <value_ints = [0]> ()
    one = Constant <value_ints = [1]> ()
    two = Constant <value_ints = [2]> ()
    x = Slice (point_coords, zero, one, two)
    y = Slice (point_coords, one, two, two)
    first_x = Slice (x, zero, one, one)
    first_y = Slice (y, zero, one, one)
    across = Transpose <perm = [1, 0]> (down)
    dx = Sub (across, first_x)
    dy = Sub (down, first_y)
    dx2 = Mul (dx, dx)
    dy2 = Mul (dy, dy)
    distance2 = Add (dx2, dy2)
    disc = Sub (squares, distance2)
    drawn = Add (disc, wider)
    mask_mean = ReduceMean <keepdims = 1> (mask_input)
    given = Mul (mask_mean, has_mask_input)
    low_res_masks = Add (drawn, given)
    labels = ReduceMean <keepdims = 0> (point_labels)
    nothing = Sub (labels, labels)
    iou_predictions = Add (ious, nothing)
}}
"""


def tiny_sam2(folder: Path) -> Manifest:
    """Writes both graphs into `folder` and gives their manifest."""
    encoder, decoder = (
        _saved(text, folder / f"{name}.onnx") for name, text in (("encoder", _ENCODER), ("decoder", _DECODER))
    )
    return Manifest(
        name="tiny_sam2",
        title="Tiny SAM 2",
        family="sam2",
        license="Apache-2.0",
        homepage="",
        sources=[],
        encoder=encoder,
        decoder=decoder,
        preprocessing=Preprocessing(INPUT_SIZE, "square_bilinear_antialias", (0, 0, 0), (255, 255, 255)),
    )


def _saved(text: str, path: Path) -> Graph:
    model = parse_model(text)
    onnx.checker.check_model(model)
    onnx.save(model, str(path))
    inputs, outputs = (
        {tensor.name: tensor.name for tensor in ends} for ends in (model.graph.input, model.graph.output)
    )
    return Graph(path.name, path.stat().st_size, sha256_of(path), inputs, outputs)
