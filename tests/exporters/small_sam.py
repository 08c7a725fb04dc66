"""Small SAMs with seeded random weights, as checkpoints that only their shapes tell apart from the published ones."""

from functools import partial

import torch
from segment_anything.modeling import ImageEncoderViT, MaskDecoder, PromptEncoder, Sam, TwoWayTransformer

from exporters.families.tiny_vit import TinyViT, neck

WIDTH, SEED = 32, 3
State = dict[str, torch.Tensor]


def small_sam(input_size: int = 128, seed: int = SEED) -> State:
    """Of a ViT with 2 of 4 blocks in windows; the grid has a side of input_size / 16."""
    encoder = ImageEncoderViT(
        img_size=input_size,
        embed_dim=48,
        depth=4,
        num_heads=3,
        out_chans=WIDTH,
        norm_layer=partial(torch.nn.LayerNorm, eps=1e-6),
        use_rel_pos=True,
        window_size=5,
        global_attn_indexes=(1, 3),
    )
    return _random(encoder, input_size // 16, input_size, seed)


def small_mobile_sam(seed: int = SEED) -> State:
    """Of a TinyViT, whose code fixes the input at 1024 and the last stage's width at one of a few."""
    encoder = TinyViT(
        img_size=1024,
        num_classes=7,
        embed_dims=[8, 8, 16, 320],
        depths=[1, 1, 2, 1],
        num_heads=[1, 2, 4, 5],
        window_sizes=[7, 7, 14, 7],
        mlp_ratio=2.0,
    )
    encoder.neck = neck(320, WIDTH)
    return _random(encoder, 64, 1024, seed)


def _random(encoder: torch.nn.Module, grid: int, input_size: int, seed: int) -> State:
    transformer = TwoWayTransformer(depth=2, embedding_dim=WIDTH, num_heads=8, mlp_dim=64)
    model = Sam(
        encoder,
        PromptEncoder(WIDTH, (grid, grid), (input_size, input_size), mask_in_chans=8),
        MaskDecoder(transformer_dim=WIDTH, transformer=transformer, iou_head_hidden_dim=24),
    )
    generator = torch.Generator().manual_seed(seed)
    return {name: _filled(name, tensor, generator) for name, tensor in model.state_dict().items()}


def _filled(name: str, tensor: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Random values at which a random model's masks are neither empty nor full."""
    if not tensor.is_floating_point():
        return tensor
    noise = torch.randn(tensor.shape, generator=generator)
    if "running_var" in name:
        return 1 + noise.abs()
    if tensor.ndim > 1:
        return noise * (1.2 / tensor[0].numel() ** 0.5 if "token" not in name and "embed" not in name else 0.7)
    return float(name.endswith("weight")) + 0.2 * noise  # of a norm, or biases
