"""A mask prompt as what it adds to the image tokens, of low rank.

The mask's two strided convolutions end in 16 channels, of which one linear layer makes D: rows of rank 16. With a mask
that layer's bias takes the place of the no-mask embedding: one row more.
"""

import numpy as np

from server.graphs.algebra import strided_convolution
from server.graphs.emit import Emitter
from server.graphs.sides import MaskTerm
from server.graphs.tokens import affine
from server.graphs.upscale import CHANNEL_EPSILON
from server.graphs.weights import DecoderWeights


def mask_term(e: Emitter, weights: DecoderWeights) -> MaskTerm:
    """What (1, 1, 4 * grid, 4 * grid) logits `mask_input` add to the image tokens of an image without a mask."""
    grid = weights.grid
    windows = e.do("Reshape", "mask_input", e.integers(grid, 2, 2, grid, 2, 2))  # y, dy, dy', x, dx, dx'
    rows = e.do("Transpose", windows, perm=[0, 3, 1, 4, 2, 5])
    for number in (0, 3):
        weight, bias = weights.layer(f"mask_downscaling.{number}")
        rows = e.do("Reshape", rows, e.integers(-1, 4 * weight.shape[1]))
        rows = affine(e, rows, strided_convolution(weight), bias)
        gain, offset = (e.constant(value) for value in weights.layer(f"mask_downscaling.{number + 1}"))
        rows = e.do("Gelu", e.do("LayerNormalization", rows, gain, offset, axis=-1, epsilon=CHANNEL_EPSILON))
    weight, bias = weights.layer("mask_downscaling.6")
    instead = bias - weights["no_mask_embed"]
    basis = e.do("Concat", e.do("Transpose", rows, perm=[1, 0]), e.constant(np.ones((1, weights.pixels))), axis=0)
    return MaskTerm(basis, np.concatenate([weight[:, :, 0, 0].T, instead[None]]))
