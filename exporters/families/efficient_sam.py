"""EfficientSAM (ViT-T, ViT-S) as it is exported."""

from collections.abc import Mapping

import torch
from torch import Tensor

from exporters.efficient_sam.encoder import EncoderShape, resized_positions
from exporters.efficient_sam.model import EfficientSam, PromptedDecoder
from exporters.efficient_sam.shape import INPUT_SIZE, model_shape
from exporters.exportable import Exportable
from exporters.families.state import State
from server.models.manifest import Preprocessing

_FAMILY = "efficient_sam"
_POSITIONS = "image_encoder.pos_embed"
_PUBLISHED = {192: "T", 384: "S"}  # by the encoder's width
_POINTS = 6  # as many as a prompt is padded to
_HOW = Preprocessing(
    input_size=INPUT_SIZE,
    resize="square_bilinear",  # no antialiasing there
    mean=(123.675, 116.28, 103.53),
    std=(58.395, 57.12, 57.375),
)


def exportable(state: Mapping[str, Tensor]) -> Exportable:
    """A checkpoint of EfficientSAM, published or shaped like one.

    The input's size and the widths of heads are the published ones: weights do not tell them.

    Raises:
        ModelUnusable: the weights are not all of EfficientSAM's, or others are among them.
    """
    model = _model(state)
    encoder = model.shape.encoder
    size = _PUBLISHED.get(encoder.width, str(encoder.width))
    return Exportable(
        variant=f"efficient_sam_vit{size.lower()}",
        title=f"EfficientSAM (ViT-{size})",
        license="Apache-2.0",
        homepage="https://github.com/yformer/EfficientSAM",
        family=_FAMILY,
        encoder=model.image_encoder,
        encoder_outputs=("image_embeddings",),
        decoder=PromptedDecoder(model),
        decoder_inputs=_prompt(encoder),
        decoder_axes={"point_coords": {1: "points"}, "point_labels": {1: "points"}},
        decoder_outputs=("low_res_masks", "iou_predictions"),
        preprocessing=_HOW,
    )


def _model(tensors: Mapping[str, Tensor]) -> EfficientSam:
    shape = model_shape(State(tensors, _FAMILY))
    model = EfficientSam(shape)
    resized = {_POSITIONS: resized_positions(tensors[_POSITIONS], shape.encoder.side)}
    State({**tensors, **resized}, _FAMILY).fill(model)
    return model


def _prompt(encoder: EncoderShape) -> Mapping[str, Tensor]:
    return {
        "image_embeddings": torch.zeros(1, encoder.channels, encoder.side, encoder.side),
        "point_coords": torch.full((1, _POINTS, 2), INPUT_SIZE / 2),
        "point_labels": torch.ones(1, _POINTS),
    }
