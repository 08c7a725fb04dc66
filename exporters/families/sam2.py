"""SAM 2 and 2.1 in their four sizes: their checkpoints as what the server's family `sam2` runs, for images only."""

from collections.abc import Mapping

import torch

from exporters.exportable import Exportable
from exporters.families.sam_shapes import IMAGENET
from exporters.families.state import State
from exporters.sam2.build import build
from exporters.sam2.halves import Decoder, Encoder
from exporters.sam2.hiera import hiera_of
from server.models.manifest import Preprocessing


def exportable(tensors: Mapping[str, torch.Tensor]) -> Exportable:
    """The model in a checkpoint's tensors; what only video needs is left out.

    Raises:
        ModelUnusable: it is none of this family.
    """
    state = State(tensors, "sam2")
    hiera = hiera_of(state)
    model = build(state, hiera)
    release = "2.1" if "no_obj_embed_spatial" in state else "2"
    size = hiera.untold.size
    return Exportable(
        variant=f"sam{release}_hiera_{size}",
        title=f"SAM {release} Hiera-{size.replace('_plus', '+').capitalize()}",
        license="Apache-2.0",
        homepage="https://github.com/facebookresearch/sam2",
        family="sam2",
        encoder=Encoder(model),
        encoder_outputs=("image_embeddings", "high_res_feats_0", "high_res_feats_1"),
        decoder=Decoder(model),
        decoder_inputs=_example(model.sam_prompt_encoder.embed_dim, hiera.untold.input_size),
        decoder_axes={name: {1: "points"} for name in ("point_coords", "point_labels")},
        decoder_outputs=("low_res_masks", "iou_predictions"),
        preprocessing=Preprocessing(hiera.untold.input_size, "square_bilinear_antialias", *IMAGENET),
    )


def _example(channels: int, side: int) -> dict[str, torch.Tensor]:
    """Inputs of the decoder: a click and the padding point."""
    return {
        "image_embeddings": torch.zeros(1, channels, side // 16, side // 16),
        "high_res_feats_0": torch.zeros(1, channels // 8, side // 4, side // 4),
        "high_res_feats_1": torch.zeros(1, channels // 4, side // 8, side // 8),
        "point_coords": torch.tensor([[[side / 2, side / 2], [0.0, 0.0]]]),
        "point_labels": torch.tensor([[1.0, -1.0]]),
        "mask_input": torch.zeros(1, 1, side // 4, side // 4),
        "has_mask_input": torch.zeros(1),
    }
