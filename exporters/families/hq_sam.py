"""HQ-SAM with ViT-B, L, H or, as Light HQ-SAM, TinyViT: the halves that the server runs, from a checkpoint's state.

What HQ-SAM's decoder makes of the image alone (features of the encoder's early layer and of its output, added) is in
the encoder's half, so that an embedding is two tensors, and none of the ViT's.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from exporters.exportable import Exportable
from exporters.families.hq_sam_package import ImageEncoderViT, MaskDecoderHQ, PromptEncoder, Sam, TwoWayTransformer
from exporters.families.sam_shapes import (
    IMAGENET,
    mask_decoder_arguments,
    prompt_encoder_arguments,
    transformer_arguments,
    vit_arguments,
)
from exporters.families.state import State
from exporters.families.tiny_vit import GRID, UNUSED, is_tiny_vit, tiny_vit
from server.models.manifest import Preprocessing

_PUBLISHED = {(768, 12): "B", (1024, 24): "L", (1280, 32): "H"}


def exportable(tensors: Mapping[str, torch.Tensor]) -> Exportable:
    """The model in a checkpoint's tensors.

    Raises:
        ModelUnusable: it is none of this family.
    """
    state = State(tensors, "hq_sam")
    if is_tiny_vit(state):
        return _halves(state, tiny_vit(state), GRID, ("hq_sam_vit_tiny", "Light HQ-SAM"))
    arguments = vit_arguments(state)
    width, depth, grid = arguments["embed_dim"], arguments["depth"], arguments["img_size"] // arguments["patch_size"]
    size = _PUBLISHED.get((width, depth), f"{width}x{depth}")
    names = (f"hq_sam_vit_{size.lower()}", f"HQ-SAM ViT-{size}")
    return _halves(state, ImageEncoderViT(**arguments), grid, names)


def _halves(state: State, encoder: Any, grid: int, names: tuple[str, str]) -> Exportable:
    transformer = TwoWayTransformer(**transformer_arguments(state))
    early = state.matrix("mask_decoder.compress_vit_feat.0.weight")[0]
    decoder = MaskDecoderHQ(transformer=transformer, vit_dim=early, **mask_decoder_arguments(state))
    prompt_encoder = PromptEncoder(**prompt_encoder_arguments(state, grid, encoder.img_size))
    sam = Sam(encoder, prompt_encoder, decoder)
    state.fill(sam, UNUSED if is_tiny_vit(state) else ())
    return Exportable(
        variant=names[0],
        title=names[1],
        license="Apache-2.0",
        homepage="https://github.com/SysCV/sam-hq",
        family="hq_sam",
        encoder=Encoder(sam),
        encoder_outputs=("image_embeddings", "hq_features"),
        decoder=Decoder(sam),
        decoder_inputs=_example(sam),
        decoder_axes={name: {1: "points"} for name in ("point_coords", "point_labels")},
        decoder_outputs=("low_res_masks", "iou_predictions"),
        preprocessing=Preprocessing(encoder.img_size, "longest_side_bilinear_antialias", *IMAGENET),
    )


class Encoder(nn.Module):
    """(B, 3, S, S) normalised pixels -> (B, D, grid, grid) embeddings, (B, D / 8, 4 * grid, 4 * grid) features."""

    def __init__(self, sam: Any) -> None:
        super().__init__()
        self.image_encoder = sam.image_encoder
        self.of_embedding = sam.mask_decoder.embedding_encoder
        self.of_early_layer = sam.mask_decoder.compress_vit_feat

    def forward(self, pixels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Image embeddings and features."""
        embeddings, layers = self.image_encoder(pixels)
        early = layers[0].permute(0, 3, 1, 2)  # (B, H, W, C) -> (B, C, H, W), after the first global attention
        return embeddings, self.of_embedding(embeddings) + self.of_early_layer(early)


class Decoder(nn.Module):
    """One prompt, in segment_anything's own inputs and the features -> four masks and their predicted IoUs.

    The mask of high quality is added to each of SAM's, as HQ-SAM answers unless it is asked for that mask alone: which
    of the four a prompt gets is the server's to choose.
    """

    def __init__(self, sam: Any) -> None:
        super().__init__()
        self.prompt_encoder, self.mask_decoder = sam.prompt_encoder, sam.mask_decoder
        self.side = sam.image_encoder.img_size

    def forward(
        self,
        image_embeddings: torch.Tensor,
        hq_features: torch.Tensor,
        point_coords: torch.Tensor,
        point_labels: torch.Tensor,
        mask_input: torch.Tensor,
        has_mask_input: torch.Tensor,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """(1, 4, 4 * grid, 4 * grid) logits and (1, 4) predicted IoUs."""
        masks, ious = self.mask_decoder.predict_masks(
            image_embeddings=image_embeddings,
            image_pe=self.prompt_encoder.get_dense_pe(),
            sparse_prompt_embeddings=self._points(point_coords, point_labels),
            dense_prompt_embeddings=self._mask(mask_input, has_mask_input),
            hq_features=hq_features,
        )
        return masks[:, :-1] + masks[:, -1:], ious

    def _points(self, coords: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """(1, P, D): without branches on labels, which a trace would freeze; padding (-1) has no place.

        Each kind's embedding stays a constant of its own, by whose name the server's graphs find it.
        """
        labels = labels[..., None]
        places = self.prompt_encoder.pe_layer._pe_encoding((coords + 0.5) / self.side)
        tokens = places * (labels != -1) + self.prompt_encoder.not_a_point_embed.weight * (labels == -1)
        for kind, embedding in enumerate(self.prompt_encoder.point_embeddings):
            tokens = tokens + embedding.weight * (labels == kind)
        return tokens

    def _mask(self, mask: torch.Tensor, is_there: torch.Tensor) -> torch.Tensor:
        """(1, D, grid, grid): of the mask prompt, or of having none."""
        none = self.prompt_encoder.no_mask_embed.weight.reshape(1, -1, 1, 1)
        return is_there * self.prompt_encoder.mask_downscaling(mask) + (1 - is_there) * none


def _example(sam: Any) -> dict[str, torch.Tensor]:
    grid, width = sam.prompt_encoder.image_embedding_size[0], sam.prompt_encoder.embed_dim
    middle = sam.image_encoder.img_size / 2
    return {
        "image_embeddings": torch.zeros(1, width, grid, grid),
        "hq_features": torch.zeros(1, width // 8, 4 * grid, 4 * grid),
        "point_coords": torch.tensor([[[middle, middle], [0.0, 0.0]]]),
        "point_labels": torch.tensor([[1.0, -1.0]]),
        "mask_input": torch.zeros(1, 1, 4 * grid, 4 * grid),
        "has_mask_input": torch.zeros(1),
    }
