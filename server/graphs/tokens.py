"""The token side: prompts become tokens, tokens attend to each other, and say what each mask looks for."""

import numpy as np
from onnx import TensorProto

from server.graphs.emit import Emitter
from server.graphs.weights import HEADS, DecoderWeights, Floats
from server.models.decoder_graphs import ABSENT

MASKS = 4  # after the token for the IoUs, one for each
EPSILON = 1e-5  # of the transformer's norms
_NEVER = 1e9  # below any score by so much that its exponential is 0


def prompt_tokens(e: Emitter, weights: DecoderWeights) -> str:
    """(T, D): the output tokens, then one per point of (1, P, 2) `point_coords` and (1, P) `point_labels`."""
    gaussian = weights["pe_layer.positional_encoding_gaussian_matrix"]
    scale = 4 * np.pi / weights.input_size  # half a pixel on, to -1..1, times 2 pi: one product
    offset = (0.5 * scale - 2 * np.pi) * gaussian.sum(axis=0)
    angles = affine(e, e.do("Reshape", "point_coords", e.integers(-1, 2)), gaussian * scale, offset)
    encoding = e.do("Concat", e.do("Sin", angles), e.do("Cos", angles), axis=1)
    one = e.constant(np.ones(1))
    kinds = e.do("Add", e.do("Reshape", "point_labels", e.integers(-1)), one)  # 0 is padding, which has no place
    has_place = e.do("Unsqueeze", e.do("Min", kinds, one), e.integers(1))
    kind = e.do("Gather", e.constant(_kinds(weights)), e.do("Cast", kinds, to=TensorProto.INT64))
    points = e.do("Add", e.do("Mul", encoding, has_place), kind)
    return e.do("Concat", e.constant(weights["tokens"]), points, axis=0)


def absence(e: Emitter, weights: DecoderWeights) -> str:
    """(T,): what scores with each token gain, nothing but for points that are ABSENT; those get no share at all."""
    labels = e.do("Reshape", "point_labels", e.integers(-1))
    beyond = e.do("Min", e.do("Sub", labels, e.constant(np.full(1, ABSENT + 1))), e.constant(np.zeros(1)))  # -1 or 0
    of_points = e.do("Mul", beyond, e.constant(np.full(1, _NEVER)))
    return e.do("Concat", e.constant(np.zeros(len(weights["tokens"]))), of_points, axis=0)


def self_attention(
    e: Emitter, weights: DecoderWeights, layer: int, tokens: str, encoding: str | None, absent: str | None
) -> str:
    """(T, D): tokens that attended to each other, normalised; the first layer has no encoding and no residual."""
    module = f"transformer.layers.{layer}.self_attn"
    placed = tokens if encoding is None else e.do("Add", tokens, encoding)
    scale = np.sqrt(HEADS / weights.width)  # 1 / sqrt(d), into the queries
    weight, bias = weights.layer(f"{module}.q_proj")
    queries = split_heads(e, affine(e, placed, weight * scale, bias * scale))
    keys = split_heads(e, affine(e, placed, *weights.layer(f"{module}.k_proj")))
    values = split_heads(e, affine(e, tokens, *weights.layer(f"{module}.v_proj")))
    scores = e.do("MatMul", queries, e.do("Transpose", keys, perm=[0, 2, 1]))
    shares = e.do("Softmax", scores if absent is None else e.do("Add", scores, absent), axis=-1)
    answer = affine(e, join_heads(e, e.do("MatMul", shares, values)), *weights.layer(f"{module}.out_proj"))
    attended = answer if encoding is None else e.do("Add", tokens, answer)
    return norm(e, weights, f"transformer.layers.{layer}.norm1", attended)


def mlp(e: Emitter, weights: DecoderWeights, layer: int, tokens: str) -> str:
    """(T, D): tokens after the layer's MLP, its residual and norm."""
    module = f"transformer.layers.{layer}"
    hidden = e.do("Relu", affine(e, tokens, *weights.layer(f"{module}.mlp.lin1")))
    answer = affine(e, hidden, *weights.layer(f"{module}.mlp.lin2"))
    return norm(e, weights, f"{module}.norm3", e.do("Add", tokens, answer))


def outputs(e: Emitter, weights: DecoderWeights, tokens: str) -> str:
    """(5, D), or with HQ-SAM's or SAM 2's own (6, D): the tokens that are answers."""
    return e.do("Slice", tokens, e.integers(0), e.integers(len(weights["tokens"])), e.integers(0))


def asked_of_masks(e: Emitter, weights: DecoderWeights, tokens: str) -> str:
    """(4, C), or of HQ-SAM (5, C): the mask tokens, each through a hypernetwork of its own."""
    masks = e.do("Slice", tokens, e.integers(weights.iou_token + 1), e.integers(len(weights["tokens"])), e.integers(0))
    answer = e.do("Unsqueeze", masks, e.integers(1))  # (4, 1, D)
    modules = [f"output_hypernetworks_mlps.{mask}" for mask in range(MASKS)] + ["hf_mlp"] * weights.is_hq
    for step in range(3):
        layers = [weights.layer(f"{module}.layers.{step}") for module in modules]
        weight, bias = (np.stack(arrays) for arrays in zip(*layers, strict=True))
        answer = affine(e, answer if step == 0 else e.do("Relu", answer), weight, bias[:, None])
    return e.do("Squeeze", answer, e.integers(1))


def predicted_ious(e: Emitter, weights: DecoderWeights, tokens: str) -> str:
    """(1, 4): the model's own estimate of each mask's IoU, from a token of its own."""
    token = weights.iou_token
    answer = e.do("Slice", tokens, e.integers(token), e.integers(token + 1), e.integers(0))
    for step in range(3):
        layer = weights.layer(f"iou_prediction_head.layers.{step}")
        answer = affine(e, answer if step == 0 else e.do("Relu", answer), *layer)
    return e.do("Sigmoid", answer) if weights.is_sam2 else answer


def affine(e: Emitter, rows: str, weight: Floats, bias: Floats) -> str:
    """A linear layer, (in, out)."""
    return e.do("Add", e.do("MatMul", rows, e.constant(weight)), e.constant(bias))


def norm(e: Emitter, weights: DecoderWeights, module: str, rows: str) -> str:
    """One of the transformer's layer norms."""
    gain, bias = (e.constant(value) for value in weights.layer(module))
    return e.do("LayerNormalization", rows, gain, bias, axis=-1, epsilon=EPSILON)


def split_heads(e: Emitter, rows: str) -> str:
    """(T, heads * d) -> (heads, T, d)."""
    return e.do("Transpose", e.do("Reshape", rows, e.integers(0, HEADS, -1)), perm=[1, 0, 2])


def join_heads(e: Emitter, rows: str) -> str:
    """(heads, T, d) -> (T, heads * d)."""
    joined = e.do("Transpose", rows, perm=[1, 0, 2])  # (T, heads, d)
    return e.do("Reshape", joined, e.integers(0, -1))


def _kinds(weights: DecoderWeights) -> Floats:
    """(5, D) by label + 1: padding, negative, positive, top left, bottom right."""
    points = [weights[f"point_embeddings.{kind}.weight"] for kind in range(4)]
    return np.concatenate([weights["not_a_point_embed.weight"], *points])
