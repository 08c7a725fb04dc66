"""SAM 2's two finer maps of the image, once per image in the order that the upscalings have their rows in.

The first is added behind the first upscaling, before its norm; the second behind the second, with that one's bias.
"""

from server.graphs.emit import Emitter, Shape
from server.graphs.weights import DecoderWeights


def finer_maps(weights: DecoderWeights) -> dict[str, Shape]:
    """What the encoder makes of the image besides the embedding: C channels, and C'."""
    _, channels, fewer = _sizes(weights)
    grid = weights.grid
    return {
        "high_res_feats_0": [1, fewer, 4 * grid, 4 * grid],
        "high_res_feats_1": [1, channels, 2 * grid, 2 * grid],
    }


def finer_tensors(weights: DecoderWeights) -> dict[str, tuple[int, ...]]:
    """The derived tensors and their shapes."""
    pixels, channels, fewer = _sizes(weights)
    return {"finer": (pixels, 4 * channels), "finest": (4 * pixels, 4 * fewer)}


def in_rows(e: Emitter, weights: DecoderWeights) -> dict[str, str]:
    """`finer_tensors` of `finer_maps`."""
    grid, (_, channels, fewer), shapes = weights.grid, _sizes(weights), finer_tensors(weights)
    windows = e.do("Reshape", "high_res_feats_1", e.integers(channels, grid, 2, grid, 2))  # y, dy, x, dx
    finer = e.do("Reshape", e.do("Transpose", windows, perm=[1, 3, 2, 4, 0]), e.integers(*shapes["finer"]))
    windows = e.do("Reshape", "high_res_feats_0", e.integers(fewer, grid, 2, 2, grid, 2, 2))  # y, dy, dy', x, dx, dx'
    rows = e.do("Transpose", windows, perm=[1, 4, 2, 5, 3, 6, 0])
    finest = e.do("Add", rows, e.constant(weights["output_upscaling.3.bias"]))
    return {"finer": finer, "finest": e.do("Reshape", finest, e.integers(*shapes["finest"]))}


def _sizes(weights: DecoderWeights) -> tuple[int, int, int]:
    """N, C and C': pixels, and channels behind either upscaling."""
    return weights.pixels, weights["output_upscaling.0.bias"].size, weights["output_upscaling.3.bias"].size
