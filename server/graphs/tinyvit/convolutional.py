"""The convolutional layer, run where the image is.

Beyond the image the input is zeros, and what the layer makes of zeros is the same everywhere but along the borders: a
small picture of zeros has all of it.
"""

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto

from server.graphs.emit import Emitter
from server.graphs.tinyvit.layers import Layers
from server.graphs.tinyvit.weights import TinyViT

PIXELS = 8  # that a token has along a side: three strides of 2
_REACH = 2  # tokens: the furthest pixel that one depends on is 15 before its own
_BLANK = 2 * _REACH + 1  # tokens on a side of the picture of zeros: some near each border, and one between


def convolutional(layers: Layers, weights: TinyViT) -> str:
    """(side * side, C) tokens of the (1, 3, size, size) `image`, which has no more than `content`, (rows, columns)."""
    e, side = layers.e, weights.size // PIXELS
    content = e.do("Cast", "content", to=TensorProto.INT64)
    touched = e.do("Div", e.do("Add", content, e.integers((1 + _REACH) * PIXELS - 1)), e.integers(PIXELS))
    kept = e.do("Min", touched, e.integers(side))
    made = e.do("Min", e.do("Add", kept, e.integers(_REACH)), e.integers(side))  # what is cut off shows in the last
    rows, columns = e.do_for(2, "Split", kept, e.integers(1, 1), axis=0)
    part = e.do("Slice", "image", e.integers(0, 0), e.do("Mul", made, e.integers(PIXELS)), e.integers(2, 3))
    tokens = _until(e, columns, _until(e, rows, _tokens(layers, weights, part), axis=1), axis=2)
    zeros = e.constant(np.zeros((1, 3, *[_BLANK * PIXELS] * 2)))
    blank = _tokens(layers, weights, zeros)  # onnxruntime does this once, when it loads the graph
    for axis in (1, 2):
        blank = e.do("Gather", blank, e.constant(_enlarged(side)), axis=axis)
    beside = _from(e, columns, _until(e, rows, blank, axis=1), axis=2)
    above, below = e.do("Concat", tokens, beside, axis=2), _from(e, rows, blank, axis=1)
    return e.do("Reshape", e.do("Concat", above, below, axis=1), e.integers(side * side, -1))


def _tokens(layers: Layers, weights: TinyViT, image: str) -> str:
    """(1, 3, H, W) -> (1, H / PIXELS, W / PIXELS, C)."""
    e = layers.e
    stem, second = (weights.convolution(f"patch_embed/seq/seq.{step}/c") for step in (0, 2))
    image = layers.convolve(e.do("Gelu", layers.convolve(image, stem)), second)
    for block in range(2):
        module, inner = f"layers.0/blocks.{block}", image
        for step in (1, 2):
            inner = e.do("Gelu", layers.convolve(inner, weights.convolution(f"{module}/conv{step}/c")))
        inner = layers.convolve(inner, weights.convolution(f"{module}/conv3/c"))
        image = e.do("Gelu", e.do("Add", image, inner))
    steps = [weights.convolution(f"layers.0/downsample/conv{step}/c") for step in (1, 2, 3)]
    for convolution in steps[:2]:
        image = e.do("Gelu", layers.convolve(image, convolution))
    return e.do("Transpose", layers.convolve(image, steps[2]), perm=[0, 2, 3, 1])


def _enlarged(side: int) -> NDArray[np.int64]:
    """(side,): which of the _BLANK tokens of a line of zeros stands where on a longer one."""
    places = np.arange(side)
    return np.where(places < side - _REACH, np.minimum(places, _REACH), places - side + _BLANK)


def _until(e: Emitter, end: str, tokens: str, axis: int) -> str:
    return e.do("Slice", tokens, e.integers(0), end, e.integers(axis))


def _from(e: Emitter, start: str, tokens: str, axis: int) -> str:
    return e.do("Slice", tokens, start, e.integers(np.iinfo(np.int64).max), e.integers(axis))
