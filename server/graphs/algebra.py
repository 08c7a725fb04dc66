"""The identities that the graphs are built on, as functions of weights; each is exact but for rounding."""

import numpy as np

from server.graphs.weights import Floats


def behind_norm(gain: Floats, weight: Floats) -> Floats:
    """(D, K): what a layer norm and the product after it make of a row, but for the row's scale.

    norm(y) W = r (y M) + b W, where r = 1 / sqrt(var(y) + epsilon) and M = (I - 11'/D) diag(gain) W: centring is a
    product too, so it can be done to the weight instead of to each row.
    """
    scaled: Floats = gain[:, None] * weight
    centred: Floats = scaled - scaled.mean(axis=0)
    return centred


def heads_of_columns(weight: Floats, heads: int) -> Floats:
    """(D, heads * d) -> (heads, D, d): the weight of each head's own projection."""
    return weight.reshape(weight.shape[0], heads, -1).transpose(1, 0, 2)


def heads_of_rows(weight: Floats, heads: int) -> Floats:
    """(heads * d, D) -> (heads, d, D): what the output projection does to each head."""
    return weight.reshape(heads, -1, weight.shape[1])


def unprojected(weight: Floats, heads: int) -> Floats:
    """(D, heads * d) -> (heads, d, D): takes a few rows back through a projection, instead of many rows through it.

    q (x W)' = (q W') x': scores of T queries against N rows need no projection of the N rows.
    """
    return heads_of_columns(weight, heads).transpose(0, 2, 1)


def value_bias_passed(value_bias: Floats, output: Floats, output_bias: Floats) -> Floats:
    """(D,): an attention's output bias once its values have none.

    Rows of a softmax sum to 1, so P (v + 1 b') = P v + 1 b': the values' bias passes through. (A bias of the keys adds
    the same to a whole row of scores, and cancels in the softmax.)
    """
    return value_bias @ output + output_bias


def transposed_convolution(weight: Floats, bias: Floats) -> tuple[Floats, Floats]:
    """A 2x2 transposed convolution of stride 2 as a product over channels-last rows: (in, 4 * out), (4 * out,).

    Its windows do not overlap: each row becomes four, in the order (0, 0), (0, 1), (1, 0), (1, 1) of (y, x).
    """
    tiled: Floats = np.tile(bias, 4)
    return weight.transpose(0, 2, 3, 1).reshape(weight.shape[0], -1), tiled


def strided_convolution(weight: Floats) -> Floats:
    """A 2x2 convolution of stride 2 as a product, (4 * in, out), over rows that hold the four pixels of a window."""
    return weight.transpose(2, 3, 1, 0).reshape(-1, weight.shape[0])


def taps(weight: Floats) -> Floats:
    """(out, in, 3, 3) -> (out, 9 * in): a 3x3 convolution as nine products over channels-last rows.

    q (W * x) = (q W) * x: a mixture q of a convolution's output channels is a convolution with one. Of few output
    channels its nine products come first, and `shifted` adds them up.
    """
    return weight.transpose(0, 2, 3, 1).reshape(weight.shape[0], -1)


def shifted() -> Floats:
    """(1, 9, 3, 3): the convolution that adds up nine maps, one per tap, each moved by its place in a 3x3 kernel."""
    return np.eye(9).reshape(1, 9, 3, 3)


def grid_encoding(gaussian: Floats, grid: int) -> Floats:
    """(grid * grid, D): the position encoding of the image embedding's pixels, row by row."""
    centres = (np.arange(grid) + 0.5) / grid
    points = np.stack(np.meshgrid(centres, centres), axis=-1).reshape(-1, 2)
    angles = 2 * np.pi * (2 * points - 1) @ gaussian
    return np.concatenate([np.sin(angles), np.cos(angles)], axis=1)
