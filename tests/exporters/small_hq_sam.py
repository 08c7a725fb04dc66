"""Small HQ-SAM models of the package's own classes, with seeded random weights."""

from functools import partial

import torch
from torch import nn

from exporters.families.hq_sam_package import (
    ImageEncoderViT,
    MaskDecoderHQ,
    PromptEncoder,
    Sam,
    TinyViT,
    TwoWayTransformer,
)


def small_vit(width: int = 32) -> Sam:
    """Two layers, of which the second attends globally, on 128 pixels."""
    return _sam(
        ImageEncoderViT(
            img_size=128,
            patch_size=16,
            embed_dim=24,
            depth=2,
            num_heads=2,
            mlp_ratio=2.0,
            out_chans=width,
            norm_layer=partial(nn.LayerNorm, eps=1e-6),
            use_rel_pos=True,
            window_size=5,
            global_attn_indexes=(1,),
        ),
        width,
        24,
    )


def small_tiny_vit() -> Sam:
    """A layer per stage; 1024 pixels, 256 channels out and a last stage 320 wide are what its code is made for."""
    return _sam(
        TinyViT(
            img_size=1024,
            num_classes=2,
            embed_dims=[8, 16, 16, 320],
            depths=[1, 1, 1, 1],
            num_heads=[1, 2, 2, 5],
            window_sizes=[7, 7, 14, 7],
            mlp_ratio=2.0,
            mbconv_expand_ratio=2.0,
            drop_path_rate=0.0,
        ),
        256,
        16,
    )


def _sam(encoder: nn.Module, width: int, early: int) -> Sam:
    torch.manual_seed(4)
    side = encoder.img_size
    prompts = PromptEncoder(width, (side // 16, side // 16), (side, side), mask_in_chans=8)
    transformer = TwoWayTransformer(depth=2, embedding_dim=width, num_heads=8, mlp_dim=64)
    decoder = MaskDecoderHQ(transformer_dim=width, transformer=transformer, iou_head_hidden_dim=16, vit_dim=early)
    sam = Sam(encoder, prompts, decoder)
    with torch.no_grad():
        for parameter in sam.parameters():
            parameter.add_(torch.randn_like(parameter), alpha=0.1 if parameter.ndim == 1 else 0.02)
        for name, buffer in sam.named_buffers():
            if name.endswith("running_var"):
                buffer.uniform_(0.5, 2.0)
    return sam.eval()
