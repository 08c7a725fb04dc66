"""Attention within windows.

Where a window reaches beyond the image the stock graph pads with zeros, which its norm and its product make the same
row everywhere: that one row is computed, instead of a sixth more rows.
"""

import numpy as np

from server.graphs.tinyvit.layers import Layers
from server.graphs.tinyvit.weights import TinyViT
from server.graphs.tinyvit.windows import windows
from server.graphs.weights import Floats


def attend(layers: Layers, weights: TinyViT, module: str, tokens: str, side: int) -> str:
    """What (side * side, C) tokens learn of the others in their window, to be added to them."""
    e, bias = layers.e, weights.attention_bias(module)
    heads, size, _ = bias.shape
    norm = weights.norm(f"{module}/norm")
    weight, offset = _by_kind(*weights.linear(f"{module}/qkv"), heads)
    normed = e.do("Concat", layers.norm(tokens, norm), e.constant(norm.bias[None]), axis=0)
    projected = layers.multiply(normed, weight, offset)  # (side * side + 1, 3 * C)
    width, places = weight.shape[0], windows(side, round(size**0.5))
    parts = e.do("Reshape", projected, e.integers(-1, width))  # a token's queries, keys and values in turn
    queries, keys, values = (e.do("Gather", parts, e.constant(3 * places.tokens + kind)) for kind in range(3))
    shared = {"num_heads": heads, "scale": (heads / width) ** 0.5}
    answers = e.do("MultiHeadAttention", queries, keys, values, "", "", e.constant(bias[None]), **shared)
    answer = e.do("Gather", e.do("Reshape", answers, e.integers(-1, width)), e.constant(places.back))
    return layers.multiply(answer, *weights.linear(f"{module}/proj"))


def _by_kind(weight: Floats, bias: Floats, heads: int) -> tuple[Floats, Floats]:
    """Columns of (heads, 3, d) -> (3, heads, d): all queries, then all keys, then all values."""
    width = weight.shape[0]
    order = np.arange(3 * width).reshape(heads, 3, -1).swapaxes(0, 1).reshape(-1)
    return weight[:, order], bias[order]
