"""The image encoder: a plain ViT that attends everywhere in every block, then a neck."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

_EPSILON = 1e-6


@dataclass(frozen=True)
class EncoderShape:
    """What an encoder's weights are shaped by."""

    side: int  # of the embedding, in patches
    patch: int
    width: int
    depth: int
    heads: int
    mlp_width: int
    channels: int


class ImageEncoder(nn.Module):
    """(B, 3, S, S) normalised pixels -> (B, channels, side, side), alone in a tuple.

    `pos_embed` is (1, side * side, width): see `resized_positions` for a checkpoint's.
    """

    def __init__(self, shape: EncoderShape) -> None:
        super().__init__()
        self.side = shape.side
        self.patch_embed = nn.ModuleDict({"proj": nn.Conv2d(3, shape.width, shape.patch, shape.patch)})
        self.pos_embed = nn.Parameter(torch.zeros(1, shape.side**2, shape.width))
        self.blocks = nn.ModuleList(Block(shape) for _ in range(shape.depth))
        self.neck = nn.Sequential(
            nn.Conv2d(shape.width, shape.channels, 1, bias=False),
            ChannelNorm(shape.channels, _EPSILON),
            nn.Conv2d(shape.channels, shape.channels, 3, padding=1, bias=False),
            ChannelNorm(shape.channels, _EPSILON),
        )

    def forward(self, image: Tensor) -> tuple[Tensor]:
        """The image embedding."""
        tokens = self.patch_embed["proj"](image).flatten(2).transpose(1, 2) + self.pos_embed  # (B, side * side, width)
        for block in self.blocks:
            tokens = block(tokens)
        return (self.neck(tokens.transpose(1, 2).unflatten(2, (self.side, self.side))),)


class Block(nn.Module):
    """A transformer block, normalised before."""

    def __init__(self, shape: EncoderShape) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(shape.width, _EPSILON)
        self.attn = SelfAttention(shape.width, shape.heads)
        self.norm2 = nn.LayerNorm(shape.width, _EPSILON)
        self.mlp = nn.Sequential()
        self.mlp.add_module("fc1", nn.Linear(shape.width, shape.mlp_width))
        self.mlp.add_module("act", nn.GELU())
        self.mlp.add_module("fc2", nn.Linear(shape.mlp_width, shape.width))

    def forward(self, tokens: Tensor) -> Tensor:
        """Tokens of the same shape."""
        tokens = tokens + self.attn(self.norm1(tokens))
        return tokens + self.mlp(self.norm2(tokens))


class SelfAttention(nn.Module):
    """Every token attends to every token."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)

    def forward(self, tokens: Tensor) -> Tensor:
        """Tokens of the same shape."""
        split = self.qkv(tokens).unflatten(2, (3, self.heads, -1))  # (B, N, 3, heads, width / heads)
        queries, keys, values = split.permute(2, 0, 3, 1, 4).unbind()
        attended = functional.scaled_dot_product_attention(queries, keys, values)
        return self.proj(attended.transpose(1, 2).flatten(2))


class ChannelNorm(nn.LayerNorm):
    """Layer normalisation over the channels of (B, C, H, W)."""

    def forward(self, image: Tensor) -> Tensor:
        """An image of the same shape."""
        return super().forward(image.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


def resized_positions(published: Tensor, side: int) -> Tensor:
    """(1, side * side, width): a checkpoint's (1, 1 + n * n, width), whose class token is dropped, for another size."""
    patches = published[:, 1:]
    given = round(patches.shape[1] ** 0.5)
    if given == side:
        return patches
    grid = patches.transpose(1, 2).unflatten(2, (given, given))  # (1, width, n, n)
    return functional.interpolate(grid, (side, side), mode="bicubic").flatten(2).transpose(1, 2)
