"""TinyViT, the image encoder of MobileSAM (and of a light HQ-SAM), with all sizes as a checkpoint has them."""

import warnings
from math import isqrt
from typing import Any

from torch import nn

from exporters.families.state import State

with warnings.catch_warnings():  # written for an older timm, which it registers its own models with
    warnings.filterwarnings("ignore", message=".*timm", category=FutureWarning)
    warnings.filterwarnings("ignore", message="Overwriting tiny_vit", category=UserWarning)
    from segment_anything_hq.modeling import TinyViT
    from segment_anything_hq.modeling.common import LayerNorm2d

__all__ = ["GRID", "INPUT_SIZE", "UNUSED", "TinyViT", "is_tiny_vit", "neck", "tiny_vit"]

INPUT_SIZE, GRID = 1024, 64  # no shape tells; TinyViT's code has the grid as a number
UNUSED = (r"image_encoder\.(norm_head|head)\.", r".*\.attention_bias_idxs$")  # the classifier of its pretraining
_ENCODER = "image_encoder"
_STAGES = range(4)


def is_tiny_vit(state: State) -> bool:
    """Whether a checkpoint's image encoder is one."""
    return f"{_ENCODER}.patch_embed.seq.0.c.weight" in state


def tiny_vit(state: State) -> nn.Module:
    """(B, 3, 1024, 1024) -> (B, D, 64, 64) and the stages' features, without weights yet.

    Windows are told by the tables of attention biases, (heads, side * side).
    """
    stages = [f"{_ENCODER}.layers.{stage}.blocks" for stage in _STAGES]
    tables = [state.matrix(f"{blocks}.0.attn.attention_biases") for blocks in stages[1:]]
    widths = [state.matrix(f"{stages[0]}.0.conv3.c.weight")[0]]
    widths += [state.matrix(f"{blocks}.0.attn.proj.weight")[0] for blocks in stages[1:]]
    encoder = TinyViT(
        img_size=INPUT_SIZE,
        num_classes=0,
        embed_dims=widths,
        depths=[state.depth(blocks) for blocks in stages],
        num_heads=[1, *(heads for heads, _ in tables)],  # the first stage is convolutions
        window_sizes=[1, *(isqrt(places) for _, places in tables)],
        mlp_ratio=state.matrix(f"{stages[1]}.0.mlp.fc1.weight")[0] / widths[1],
        drop_path_rate=0.0,
        mbconv_expand_ratio=state.matrix(f"{stages[0]}.0.conv1.c.weight")[0] / widths[0],
    )
    encoder.neck = neck(widths[-1], state.matrix(f"{_ENCODER}.neck.0.weight")[0])
    return encoder


def neck(width: int, channels: int) -> Any:
    """As TinyViT has it, where `channels` are always 256."""
    return nn.Sequential(
        nn.Conv2d(width, channels, kernel_size=1, bias=False),
        LayerNorm2d(channels),
        nn.Conv2d(channels, channels, kernel_size=3, padding=1, bias=False),
        LayerNorm2d(channels),
    )
