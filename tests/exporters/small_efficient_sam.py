"""A small EfficientSAM with seeded weights, the same on every machine, and what the published code makes of it."""

import numpy as np
import torch
from numpy.typing import NDArray

from exporters.efficient_sam.decoder import DecoderShape, HeadShape
from exporters.efficient_sam.encoder import EncoderShape
from exporters.efficient_sam.model import EfficientSam, ModelShape
from exporters.efficient_sam.transformer import TransformerShape
from server.core.geometry import Box, ImageSize, Point
from server.core.prompt import Prompt

SHAPE = ModelShape(
    EncoderShape(side=32, patch=32, width=64, depth=2, heads=1, mlp_width=128, channels=32),
    DecoderShape(TransformerShape(32, 16, 2, 8, 64, 1), 4, (16, 8), HeadShape(32, 2), HeadShape(32, 2)),
)
_POSITIONS = (1, 1 + 7 * 7, 64)  # a class token, and 7 x 7 patches of pictures of 224 px

SIZE = ImageSize(1100, 1500)
PROMPTS = {
    "a click": Prompt(SIZE, (Point(400, 300),)),
    "a box": Prompt(SIZE, box=Box(100, 150, 900, 1000)),
    "a box and clicks": Prompt(
        SIZE, (Point(700.5, 20), Point(1400, 1090), Point(3, 500), Point(800, 800)), Box(1, 2, 1490, 800)
    ),
}


def picture() -> NDArray[np.uint8]:
    """(1100, 1500, 3) noise, larger than the input: of which antialiasing would leave nothing."""
    return np.random.RandomState(7).randint(0, 256, (SIZE.height, SIZE.width, 3), np.uint8)


def small_state() -> dict[str, torch.Tensor]:
    """A checkpoint's weights under their published names."""
    shapes = {name: tuple(tensor.shape) for name, tensor in EfficientSam(SHAPE).state_dict().items()}
    shapes["image_encoder.pos_embed"] = _POSITIONS
    random = np.random.RandomState(20)
    return {name: torch.from_numpy(_weights(name, shapes[name], random)) for name in sorted(shapes)}


def _weights(name: str, shape: tuple[int, ...], random: np.random.RandomState) -> NDArray[np.float32]:
    values = random.standard_normal(shape)
    if len(shape) == 1:
        values = 0.1 * values + (1 if name.endswith("weight") else 0)  # a norm's factors, or biases
    elif name.endswith("weight") and "token" not in name and "embeddings" not in name:
        values = values / np.sqrt(np.prod(shape[1:]))
    return values.astype(np.float32)
