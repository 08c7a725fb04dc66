"""The mask decoder: prompt tokens and an image embedding -> masks and what they are worth."""

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

from exporters.efficient_sam.mlp import Mlp
from exporters.efficient_sam.transformer import TransformerShape, TwoWayTransformer


@dataclass(frozen=True)
class HeadShape:
    """A perceptron's hidden width and depth."""

    width: int
    depth: int


@dataclass(frozen=True)
class DecoderShape:
    """What a decoder's weights are shaped by; `upscaled` are the channels after each doubling of the size."""

    transformer: TransformerShape
    masks: int
    upscaled: tuple[int, ...]
    mask_head: HeadShape
    iou_head: HeadShape


class MaskDecoder(nn.Module):
    """All masks: of the single-mask token, which the published code never asks for, then the candidates."""

    def __init__(self, shape: DecoderShape) -> None:
        super().__init__()
        channels = shape.transformer.channels
        self.transformer = TwoWayTransformer(shape.transformer)
        self.iou_token = nn.Embedding(1, channels)
        self.mask_tokens = nn.Embedding(shape.masks, channels)
        self.final_output_upscaling_layers = _upscaling((channels, *shape.upscaled))
        head = (channels, shape.mask_head.width, shape.upscaled[-1])
        self.output_hypernetworks_mlps = nn.ModuleList(Mlp(head, shape.mask_head.depth) for _ in range(shape.masks))
        self.iou_prediction_head = Mlp((channels, shape.iou_head.width, shape.masks), shape.iou_head.depth)

    def forward(self, image: Tensor, image_places: Tensor, prompt: Tensor) -> tuple[Tensor, Tensor]:
        """(B, channels, h, w), (1, h * w, channels), (B, N, channels) -> (B, masks, 4 * h, 4 * w) and (B, masks)."""
        own = torch.cat([self.iou_token.weight, self.mask_tokens.weight]).expand(prompt.shape[0], -1, -1)
        pixels = image.flatten(2).transpose(1, 2)
        tokens, pixels = self.transformer(torch.cat([own, prompt], dim=1), pixels, image_places)
        upscaled = pixels.transpose(1, 2).reshape(image.shape)
        for layer in self.final_output_upscaling_layers:
            upscaled = layer(upscaled)
        weights = [mlp(tokens[:, 1 + number]) for number, mlp in enumerate(self.output_hypernetworks_mlps)]
        masks = torch.stack(weights, dim=1) @ upscaled.flatten(2)  # (B, masks, pixels)
        return masks.unflatten(2, upscaled.shape[2:]), self.iou_prediction_head(tokens[:, 0])


def _upscaling(channels: tuple[int, ...]) -> nn.ModuleList:
    """Each doubles the size; all but the last normalise."""
    layers = []
    for number, (inputs, outputs) in enumerate(pairwise(channels), start=2):
        doubled = nn.ConvTranspose2d(inputs, outputs, 2, 2)
        norm = nn.GroupNorm(1, outputs) if number < len(channels) else nn.Identity()
        layers.append(nn.Sequential(doubled, norm, nn.GELU()))
    return nn.ModuleList(layers)
