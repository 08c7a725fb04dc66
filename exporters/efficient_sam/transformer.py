"""The decoder's transformer: the prompt's tokens and the image's attend to each other."""

from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn import functional

from exporters.efficient_sam.mlp import Mlp


@dataclass(frozen=True)
class TransformerShape:
    """What a transformer's weights are shaped by; `inner` is the width in which tokens and image attend."""

    channels: int
    inner: int
    depth: int
    heads: int
    mlp_width: int
    mlp_depth: int


class TwoWayTransformer(nn.Module):
    """Prompt tokens (B, N, channels) and an image (B, M, channels), each with its places -> both, of the same shapes.

    The tokens are their own places.
    """

    def __init__(self, shape: TransformerShape) -> None:
        super().__init__()
        self.layers = nn.ModuleList(TwoWayBlock(shape, is_first=number == 0) for number in range(shape.depth))
        self.final_attn_token_to_image = Attention(shape.channels, shape.inner, shape.heads)
        self.norm_final_attn = nn.LayerNorm(shape.channels)

    def forward(self, tokens: Tensor, image: Tensor, image_places: Tensor) -> tuple[Tensor, Tensor]:
        """Tokens and image after all layers."""
        places = tokens
        for layer in self.layers:
            tokens, image = layer(tokens, image, places, image_places)
        seen = self.final_attn_token_to_image(tokens + places, image + image_places, image)
        return self.norm_final_attn(tokens + seen), image


class TwoWayBlock(nn.Module):
    """Tokens attend to each other, then to the image, then the image to them; normalised after each."""

    def __init__(self, shape: TransformerShape, is_first: bool) -> None:
        super().__init__()
        self.is_first = is_first
        self.self_attn = Attention(shape.channels, shape.channels, shape.heads)
        self.norm1 = nn.LayerNorm(shape.channels)
        self.cross_attn_token_to_image = Attention(shape.channels, shape.inner, shape.heads)
        self.norm2 = nn.LayerNorm(shape.channels)
        self.mlp = Mlp((shape.channels, shape.mlp_width, shape.channels), shape.mlp_depth)
        self.norm3 = nn.LayerNorm(shape.channels)
        self.norm4 = nn.LayerNorm(shape.channels)
        self.cross_attn_image_to_token = Attention(shape.channels, shape.inner, shape.heads)

    def forward(self, tokens: Tensor, image: Tensor, places: Tensor, image_places: Tensor) -> tuple[Tensor, Tensor]:
        """Tokens and image, of the same shapes. Other than SAM's first layer, this one too keeps its input."""
        placed = tokens if self.is_first else tokens + places
        tokens = self.norm1(placed + self.self_attn(placed, placed, placed))
        seen = self.cross_attn_token_to_image(tokens + places, image + image_places, image)
        tokens = self.norm2(tokens + seen)
        tokens = self.norm3(tokens + self.mlp(tokens))
        asked = self.cross_attn_image_to_token(image + image_places, tokens + places, tokens)
        return tokens, self.norm4(image + asked)


class Attention(nn.Module):
    """Attention in a width of its own."""

    def __init__(self, channels: int, inner: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.q_proj = nn.Linear(channels, inner)
        self.k_proj = nn.Linear(channels, inner)
        self.v_proj = nn.Linear(channels, inner)
        self.out_proj = nn.Linear(inner, channels)

    def forward(self, queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        """(B, N, channels), for (B, N, channels) and twice (B, M, channels)."""
        split = [
            projection(tokens).unflatten(2, (self.heads, -1)).transpose(1, 2)  # (B, heads, N, inner / heads)
            for projection, tokens in ((self.q_proj, queries), (self.k_proj, keys), (self.v_proj, values))
        ]
        return self.out_proj(functional.scaled_dot_product_attention(*split).transpose(1, 2).flatten(2))
