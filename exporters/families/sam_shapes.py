"""What the shapes of a SAM checkpoint's tensors say about its modules: the arguments of segment_anything's classes."""

from functools import partial
from typing import Any

import torch

from exporters.families.state import State

IMAGENET = ((123.675, 116.28, 103.53), (58.395, 57.12, 57.375))  # mean and std of all models of this kind
_DECODER_HEADS = 8  # of all published ones; no shape tells
_VIT, _PROMPTS, _DECODER = "image_encoder", "prompt_encoder", "mask_decoder"


def vit_arguments(state: State) -> dict[str, Any]:
    """Of ImageEncoderViT. Heads and windows are told by the tables of relative positions, (2 * side - 1, channels)."""
    width, _, patch, _ = state.shape(f"{_VIT}.patch_embed.proj.weight")
    grid, depth = state.shape(f"{_VIT}.pos_embed")[1], state.depth(f"{_VIT}.blocks")
    tables = [state.shape(f"{_VIT}.blocks.{block}.attn.rel_pos_h") for block in range(depth)]
    sides = [(rows + 1) // 2 for rows, _ in tables]
    windows = {side for side in sides if side != grid}
    if len(windows) > 1:
        raise state.unfit(f"its blocks have windows of {' and '.join(map(str, sorted(windows)))}")
    return {
        "img_size": grid * patch,
        "patch_size": patch,
        "embed_dim": width,
        "depth": depth,
        "num_heads": width // tables[0][1],
        "mlp_ratio": state.matrix(f"{_VIT}.blocks.0.mlp.lin1.weight")[0] / width,
        "out_chans": state.matrix(f"{_VIT}.neck.0.weight")[0],
        "norm_layer": partial(torch.nn.LayerNorm, eps=1e-6),
        "use_rel_pos": True,
        "window_size": windows.pop() if windows else 0,
        "global_attn_indexes": tuple(block for block, side in enumerate(sides) if side == grid),
    }


def prompt_encoder_arguments(state: State, grid: int, input_size: int) -> dict[str, Any]:
    """Of PromptEncoder."""
    return {
        "embed_dim": state.matrix(f"{_PROMPTS}.no_mask_embed.weight")[1],
        "image_embedding_size": (grid, grid),
        "input_image_size": (input_size, input_size),
        "mask_in_chans": state.matrix(f"{_PROMPTS}.mask_downscaling.3.weight")[0],
    }


def transformer_arguments(state: State) -> dict[str, Any]:
    """Of TwoWayTransformer."""
    layers = f"{_DECODER}.transformer.layers"
    inner, width = state.matrix(f"{layers}.0.cross_attn_token_to_image.q_proj.weight")
    return {
        "depth": state.depth(layers),
        "embedding_dim": width,
        "num_heads": _DECODER_HEADS,
        "mlp_dim": state.matrix(f"{layers}.0.mlp.lin1.weight")[0],
        "attention_downsample_rate": width // inner,
    }


def mask_decoder_arguments(state: State) -> dict[str, Any]:
    """Of MaskDecoder, but for its transformer."""
    masks, width = state.matrix(f"{_DECODER}.mask_tokens.weight")
    return {
        "transformer_dim": width,
        "num_multimask_outputs": masks - 1,
        "iou_head_depth": state.depth(f"{_DECODER}.iou_prediction_head.layers"),
        "iou_head_hidden_dim": state.matrix(f"{_DECODER}.iou_prediction_head.layers.0.weight")[0],
    }
