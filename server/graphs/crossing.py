"""The two attentions between tokens and image: tokens look at the image, and show themselves to it."""

import numpy as np

from server.graphs.algebra import heads_of_rows, value_bias_passed
from server.graphs.emit import Emitter
from server.graphs.sides import ImageSide, together
from server.graphs.tokens import affine, join_heads, split_heads
from server.graphs.weights import HEADS, DecoderWeights


def look(e: Emitter, weights: DecoderWeights, module: str, placed: str, image: ImageSide) -> str:
    """(T, D): what the tokens, their encoding added, see in the image."""
    weight, bias = weights.layer(f"{module}.q_proj")
    scale = np.sqrt(HEADS / weight.shape[1])  # 1 / sqrt(d)
    queries = split_heads(e, affine(e, placed, weight * scale, bias * scale))
    shares = e.do("Softmax", image.scores(queries, weights[f"{module}.k_proj.weight"]), axis=-1)
    value_weight, value_bias = weights.layer(f"{module}.v_proj")
    output, output_bias = weights.layer(f"{module}.out_proj")
    answers = join_heads(e, image.answers(shares, value_weight))
    return affine(e, answers, output, value_bias_passed(value_bias, output, output_bias))


def show(
    e: Emitter, weights: DecoderWeights, module: str, tokens: tuple[str, str, str | None], image: ImageSide
) -> tuple[str, str]:
    """What the tokens, without and with their encoding, add to the image: (R, N) shares and (R, D) values.

    With the tokens comes their `absence`, where some may be.

    The sum over heads of P_h' (v_h W_h) is one product of R = heads * T rows. Each head's shares sum to 1, so that an
    eighth of the output bias can be added to every value.
    """
    plain, placed, absent = tokens
    key_weight = weights[f"{module}.k_proj.weight"]  # without its bias, which cancels
    query_weight, query_bias = weights.layer(f"{module}.q_proj")
    keys = split_heads(e, e.do("MatMul", placed, e.constant(key_weight * np.sqrt(HEADS / key_weight.shape[1]))))
    of_bias = e.do("MatMul", keys, e.constant(query_bias.reshape(HEADS, -1, 1)))  # (heads, T, 1)
    if absent is not None:
        of_bias = e.do("Add", of_bias, e.do("Reshape", absent, e.integers(-1, 1)))
    shares = over_tokens(e, e.do("Add", image.scores(keys, query_weight), of_bias))
    values = split_heads(e, affine(e, plain, *weights.layer(f"{module}.v_proj")))
    output, output_bias = weights.layer(f"{module}.out_proj")
    shown = affine(e, values, heads_of_rows(output, HEADS), output_bias / HEADS)  # (heads, T, D)
    return together(e, shares, weights.pixels), together(e, shown, weights.width)


def over_tokens(e: Emitter, scores: str) -> str:
    """Softmax over T of (heads, T, N): with the pixels innermost each step runs along contiguous memory."""
    raised = e.do("Exp", e.do("Sub", scores, e.do("ReduceMax", scores, axes=[1], keepdims=1)))
    return e.do("Div", raised, e.do("ReduceSum", raised, e.integers(1), keepdims=1))
