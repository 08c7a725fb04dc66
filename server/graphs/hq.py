"""HQ-SAM's mask of high quality, which is added to each of the four.

Its token asks h of features of its own: E(u) + F, where u are the upscaled image tokens, E two 3x3 convolutions with a
norm and a GELU between them, and F, `hq_features`, the encoder's. Since h (W * x) = (h W) * x, the last convolution W
needs one output channel instead of C', and nothing of size C' is made behind the GELU.
"""

from server.graphs.algebra import shifted, taps
from server.graphs.emit import Emitter
from server.graphs.tokens import MASKS
from server.graphs.upscale import CHANNEL_EPSILON
from server.graphs.weights import DecoderWeights


def hq_mask_logits(e: Emitter, weights: DecoderWeights, positions: str, asked: str) -> str:
    """(1, 4, 4 * grid, 4 * grid) logits from what is `upscaled` and `asked`, (5, C'); put in order first."""
    grid, side = weights.grid, 4 * weights.grid
    windows = e.do("Reshape", positions, e.integers(grid, grid, 2, 2, 2, 2, -1))
    rows = e.do("Transpose", windows, perm=[0, 2, 4, 1, 3, 5, 6])  # blocks of C' floats move
    of_masks, of_hq = e.do_for(2, "Split", asked, e.integers(MASKS, 1), axis=0)
    logits = e.do("Gemm", of_masks, e.do("Reshape", rows, e.integers(side**2, -1)), transB=1)  # (4, side * side)
    features = e.do("Reshape", "hq_features", e.integers(0, -1, side**2))
    own = e.do("Reshape", e.do("MatMul", of_hq, features), e.integers(1, 1, side, side))
    own = e.do("Add", own, _refined(e, weights, e.do("Reshape", rows, e.integers(1, side, side, -1)), of_hq))
    return e.do("Add", e.do("Reshape", logits, e.integers(1, MASKS, side, side)), own)


def _refined(e: Emitter, weights: DecoderWeights, image: str, of_hq: str) -> str:
    """(1, 1, side, side): h E(u) of (1, side, side, C') u."""
    side = 4 * weights.grid
    weight, bias = (e.constant(value) for value in weights.layer("embedding_maskfeature.0"))
    # channels go last for the norm: onnxruntime does both transpositions while it reorders for its convolution
    image = e.do("Conv", e.do("Transpose", image, perm=[0, 3, 1, 2]), weight, bias, pads=[1, 1, 1, 1])
    gain, offset = (e.constant(value) for value in weights.layer("embedding_maskfeature.1"))
    normal = e.do(
        "LayerNormalization",
        e.do("Transpose", image, perm=[0, 2, 3, 1]),
        gain,
        offset,
        axis=-1,
        epsilon=CHANNEL_EPSILON,
    )
    pixels = e.do("Reshape", e.do("Gelu", normal), e.integers(side**2, -1))  # (side * side, 2 * C')
    last, of_last = weights.layer("embedding_maskfeature.3")
    mixed = e.do("Reshape", e.do("MatMul", of_hq, e.constant(taps(last))), e.integers(9, -1))  # (9, 2 * C')
    maps = e.do("Reshape", e.do("Gemm", mixed, pixels, transB=1), e.integers(1, 9, side, side))
    offset = e.do("MatMul", of_hq, e.constant(of_last[:, None]))  # (1, 1)
    return e.do("Add", e.do("Conv", maps, e.constant(shifted()), pads=[1, 1, 1, 1]), offset)
