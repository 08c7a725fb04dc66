"""The prompt encoder: points, box corners and padding as tokens."""

from math import pi

import torch
from torch import Tensor, nn

PADDING, POSITIVE, TOP_LEFT, BOTTOM_RIGHT = -1, 1, 2, 3  # labels; any other gets a place and no meaning


class PromptEncoder(nn.Module):
    """Labelled places in the encoder's input, `size` px wide, as tokens of `channels`."""

    def __init__(self, size: int, channels: int) -> None:
        super().__init__()
        self.size = size
        self.pe_layer = Places(channels)
        self.invalid_points = nn.Embedding(1, channels)
        self.point_embeddings = nn.Embedding(1, channels)
        self.bbox_top_left_embeddings = nn.Embedding(1, channels)
        self.bbox_bottom_right_embeddings = nn.Embedding(1, channels)

    def forward(self, coords: Tensor, labels: Tensor) -> Tensor:
        """(B, N, 2) pixels as (x, y), (B, N) labels -> (B, N, channels)."""
        tokens = self.pe_layer((coords + 0.5) / self.size)  # a pixel's centre
        for label, meaning in (
            (PADDING, self.invalid_points),
            (POSITIVE, self.point_embeddings),
            (TOP_LEFT, self.bbox_top_left_embeddings),
            (BOTTOM_RIGHT, self.bbox_bottom_right_embeddings),
        ):
            tokens = tokens + (labels == label).unsqueeze(-1) * meaning.weight
        return tokens


class Places(nn.Module):
    """Places in the unit square as sines and cosines of random frequencies."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.register_buffer("positional_encoding_gaussian_matrix", torch.zeros(2, channels // 2))

    def forward(self, places: Tensor) -> Tensor:
        """(..., 2) in 0..1 -> (..., channels)."""
        angles = 2 * pi * ((2 * places - 1) @ self.positional_encoding_gaussian_matrix)
        return torch.cat([angles.sin(), angles.cos()], dim=-1)

    def grid(self, side: int) -> Tensor:
        """(1, side * side, channels): the places of a square grid's cells, row by row."""
        centres = (torch.arange(side) + 0.5) / side
        rows, columns = torch.meshgrid(centres, centres, indexing="ij")
        return self(torch.stack([columns, rows], dim=-1)).flatten(0, 1).unsqueeze(0)
