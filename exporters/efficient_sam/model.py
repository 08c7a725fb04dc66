"""EfficientSAM as its checkpoints have it, and the half of it that answers prompts."""

from dataclasses import dataclass

from torch import Tensor, nn

from exporters.efficient_sam.decoder import DecoderShape, MaskDecoder
from exporters.efficient_sam.encoder import EncoderShape, ImageEncoder
from exporters.efficient_sam.prompts import PromptEncoder


@dataclass(frozen=True)
class ModelShape:
    """What a model's weights are shaped by."""

    encoder: EncoderShape
    decoder: DecoderShape


class EfficientSam(nn.Module):
    """The three parts, under their published names."""

    def __init__(self, shape: ModelShape) -> None:
        super().__init__()
        self.shape = shape
        self.image_encoder = ImageEncoder(shape.encoder)
        self.prompt_encoder = PromptEncoder(shape.encoder.side * shape.encoder.patch, shape.encoder.channels)
        self.mask_decoder = MaskDecoder(shape.decoder)


class PromptedDecoder(nn.Module):
    """An image embedding and labelled points -> the candidates, as the published code gives them."""

    def __init__(self, model: EfficientSam) -> None:
        super().__init__()
        self.side = model.image_encoder.side
        self.prompt_encoder, self.mask_decoder = model.prompt_encoder, model.mask_decoder

    def forward(self, image: Tensor, coords: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """(1, channels, side, side), (1, N, 2), (1, N) -> (1, 3, 4 * side, 4 * side) logits and (1, 3) IoUs."""
        places = self.prompt_encoder.pe_layer.grid(self.side)
        masks, ious = self.mask_decoder(image, places, self.prompt_encoder(coords, labels))
        return masks[:, 1:], ious[:, 1:]
