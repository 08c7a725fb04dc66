"""Small SAMs and HQ-SAMs with seeded random weights; only shapes tell their checkpoints from the published ones."""

from functools import partial
from typing import Any

import torch
from segment_anything import modeling as sam
from torch.nn import LayerNorm, Module

from exporters.families import hq_sam_package as hq_sam
from exporters.families.tiny_vit import TinyViT, neck

WIDTH, SEED = 32, 3
_VIT, _STAGES = 48, (8, 8, 16, 320)  # widths; TinyViT's code has the last one's as a number
State = dict[str, torch.Tensor]


def small_sam(input_size: int = 128, seed: int = SEED) -> State:
    """Of a ViT with 2 of 4 blocks in windows; the grid has a side of input_size / 16."""
    return _random(_of(sam, sam.MaskDecoder, _vit(sam, input_size), input_size), seed)


def small_mobile_sam(seed: int = SEED) -> State:
    """Of a TinyViT."""
    return _random(_of(sam, sam.MaskDecoder, _tiny_vit(), 1024), seed)


def small_hq_sam() -> Any:
    """The package's own model, of a ViT whose blocks grow less."""
    return _loaded(_of(hq_sam, partial(hq_sam.MaskDecoderHQ, vit_dim=_VIT), _vit(hq_sam, 128, growth=2), 128))


def small_light_hq_sam() -> Any:
    """The same of a TinyViT."""
    return _loaded(_of(hq_sam, partial(hq_sam.MaskDecoderHQ, vit_dim=_STAGES[2]), _tiny_vit(growth=2), 1024))


def _vit(package: Any, input_size: int, growth: float = 4) -> Module:
    encoder: Module = package.ImageEncoderViT(
        img_size=input_size,
        embed_dim=_VIT,
        depth=4,
        num_heads=3,
        mlp_ratio=growth,
        out_chans=WIDTH,
        norm_layer=partial(LayerNorm, eps=1e-6),
        use_rel_pos=True,
        window_size=5,
        global_attn_indexes=(1, 3),
    )
    return encoder


def _tiny_vit(growth: float = 4) -> Module:
    encoder: Module = TinyViT(
        img_size=1024,  # as its code has it
        num_classes=7,
        embed_dims=list(_STAGES),
        depths=[1, 1, 2, 1],
        num_heads=[1, 2, 4, 5],
        window_sizes=[7, 7, 14, 7],
        mlp_ratio=2.0,
        mbconv_expand_ratio=growth,
    )
    encoder.neck = neck(_STAGES[-1], WIDTH)
    return encoder


def _of(package: Any, decoder: Any, encoder: Module, input_size: int) -> Any:
    grid = input_size // 16
    transformer = package.TwoWayTransformer(depth=2, embedding_dim=WIDTH, num_heads=8, mlp_dim=64)
    return package.Sam(
        encoder,
        package.PromptEncoder(WIDTH, (grid, grid), (input_size, input_size), mask_in_chans=8),
        decoder(transformer_dim=WIDTH, transformer=transformer, iou_head_hidden_dim=24),
    )


def _loaded(model: Any) -> Any:
    model.load_state_dict(_random(model, SEED))
    return model.eval()


def _random(model: Module, seed: int) -> State:
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
