"""From the image tokens to the four masks' logits: two upscalings, and a product with what each mask token asks for.

Layer i's attention image -> token leaves the image tokens x_i+1 = norm(x_i + P_i' V_i), P_i of few rows. So what the
first upscaling W makes of x_2 is r_1 r_0 (x_0 M_0 + P_0' V_0 M_0 + (P_1 / r_0)' V_1 M_1) and constants, where
M_1 = behind_norm(g_1, W), M_0 = behind_norm(g_0, M_1) and r_i are the norms' scales: x_0 M_0 is the image's alone, and
the rest is a product of rank 2 T heads instead of one of rank D.

From here on each row is for itself, so rows that no image reaches, the padding of one that is not square, can be left
out: an `extent` says how many rows and columns of the grid there are, from the top-left corner.
"""

from dataclasses import dataclass

from server.graphs.algebra import behind_norm, transposed_convolution
from server.graphs.emit import Emitter
from server.graphs.tokens import affine
from server.graphs.weights import HEADS, DecoderWeights, Floats

CHANNEL_EPSILON = 1e-6  # of segment_anything's LayerNorm2d
_NORMS = ("transformer.layers.0.norm4", "transformer.layers.1.norm4")


@dataclass(frozen=True)
class Update:
    """The tensors by which an attention image -> token changed the image tokens, and the norm that followed.

    Attributes:
        rows: (R, N), softmaxed scores; those of each head sum to 1 over the head's rows.
        values: (R, D).
        scale: (N, 1), the norm's 1 / sqrt(variance + epsilon).
    """

    rows: str
    values: str
    scale: str


def upscaled_image_weight(weights: DecoderWeights) -> Floats:
    """(D, 4 * C): M_0 above."""
    return _folded(weights)[0]


def upscaled(
    e: Emitter, weights: DecoderWeights, image: str, updates: tuple[Update, Update], extent: str | None
) -> str:
    """(16 * N, C') from the image's own (N, 4 * C): both upscalings, in the order (y, x, dy, dx, dy', dx').

    With an extent both have its rows alone.
    """
    first = _first_upscaling(e, weights, image, updates, extent)
    weight, bias = transposed_convolution(*weights.layer("output_upscaling.3"))
    if weights.is_sam2:  # the bias is in the finest map
        second = e.do("Gelu", e.do("Gemm", first, e.constant(weight), "finest"))
    else:
        second = e.do("BiasGelu", e.do("MatMul", first, e.constant(weight)), e.constant(bias))  # (4 * N, 4 * C')
    return e.do("Reshape", second, e.integers(-1, weights["output_upscaling.3.bias"].size))


def window_logits(e: Emitter, positions: str, asked: str) -> str:
    """(4, 16 * N) logits from what is `upscaled` and `asked`, (4, C'), in the order they are in."""
    return e.do("Gemm", asked, positions, transB=1)


def mask_logits(e: Emitter, weights: DecoderWeights, positions: str, asked: str) -> str:
    """(1, 4, 4 * grid, 4 * grid) logits from what is `upscaled` and `asked`, (4, C'); put in order last."""
    grid = weights.grid
    windows = e.do("Reshape", window_logits(e, positions, asked), e.integers(4, grid, grid, 2, 2, 2, 2))
    shuffled = e.do("Transpose", windows, perm=[0, 1, 3, 5, 2, 4, 6])
    return e.do("Reshape", shuffled, e.integers(1, 4, 4 * grid, 4 * grid))


def _first_upscaling(
    e: Emitter, weights: DecoderWeights, image: str, updates: tuple[Update, Update], extent: str | None
) -> str:
    """(4 * N, C), normalised and activated; what is added to all pixels alike is one more row of the product."""
    first, second = updates
    m_0, m_1, of_first, of_second = _folded(weights)
    scales = e.do("Mul", first.scale, second.scale)  # (N, 1)
    inverse, inverses = (e.do("Reshape", e.do("Reciprocal", s), e.integers(1, -1)) for s in (first.scale, scales))
    rows = e.do("Concat", first.rows, e.do("Mul", second.rows, inverse), inverses, axis=0)
    from_first = e.do("MatMul", first.values, e.constant(m_0))
    from_second = affine(e, second.values, m_1, of_first / HEADS)
    values = e.do("Concat", from_first, from_second, e.constant(of_second[None]), axis=0)
    if extent is not None:
        rows = _within(e, weights, rows, extent)
        scales = e.do("Reshape", _within(e, weights, scales, extent), e.integers(-1, 1))
    product = e.do("Gemm", rows, values, image, transA=1)
    scaled = e.do("Mul", product, scales)
    if weights.is_sam2:  # only here: what it is added to has the norms' scales, which are the click's
        scaled = e.do("Add", scaled, "finer")
    scaled = e.do("Reshape", scaled, e.integers(-1, weights["output_upscaling.0.bias"].size))
    gain, bias = (e.constant(value) for value in weights.layer("output_upscaling.1"))
    return e.do("Gelu", e.do("LayerNormalization", scaled, gain, bias, axis=-1, epsilon=CHANNEL_EPSILON))


def _within(e: Emitter, weights: DecoderWeights, rows: str, extent: str) -> str:
    """(R, N) or (N, 1) -> (R, N'), or (1, N'), within the extent."""
    planes = e.do("Reshape", rows, e.integers(-1, weights.grid, weights.grid))
    cut = e.do("Slice", planes, e.integers(0, 0), extent, e.integers(1, 2))
    return e.do("Reshape", cut, e.integers(0, -1))


def _folded(weights: DecoderWeights) -> tuple[Floats, Floats, Floats, Floats]:
    """M_0, M_1, and what the norms' biases become: after the first norm, and after both with the upscaling's own."""
    upscaling, bias = transposed_convolution(*weights.layer("output_upscaling.0"))
    (gain_0, bias_0), (gain_1, bias_1) = (weights.layer(norm) for norm in _NORMS)
    m_1 = behind_norm(gain_1, upscaling)
    return behind_norm(gain_0, m_1), m_1, bias_0 @ m_1, bias_1 @ upscaling + bias
