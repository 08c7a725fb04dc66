"""The two halves of SAM 2 for images, made of sam2's own modules."""

import torch
from sam2.modeling.backbones.image_encoder import ImageEncoder
from sam2.modeling.sam.mask_decoder import MaskDecoder
from sam2.modeling.sam.prompt_encoder import PromptEncoder
from torch import Tensor, nn


class Sam2(nn.Module):
    """What of SAM 2 looks at images, under the names that its checkpoints use."""

    def __init__(
        self, image_encoder: ImageEncoder, sam_prompt_encoder: PromptEncoder, sam_mask_decoder: MaskDecoder
    ) -> None:
        super().__init__()
        self.image_encoder = image_encoder
        self.sam_prompt_encoder = sam_prompt_encoder
        self.sam_mask_decoder = sam_mask_decoder
        self.no_mem_embed = nn.Parameter(torch.zeros(1, 1, sam_prompt_encoder.embed_dim))


class Encoder(nn.Module):
    """(B, 3, S, S) -> image_embeddings, high_res_feats_0, high_res_feats_1, as SAM2ImagePredictor.set_image has them.

    The position embedding of the one input size is computed here, once.
    """

    def __init__(self, model: Sam2) -> None:
        super().__init__()
        self.image_encoder, self.no_mem_embed = model.image_encoder, model.no_mem_embed
        self.conv_s0, self.conv_s1 = model.sam_mask_decoder.conv_s0, model.sam_mask_decoder.conv_s1
        trunk, side = model.image_encoder.trunk, model.sam_prompt_encoder.input_image_size[0] // 4
        with torch.no_grad():
            positions = trunk._get_pos_embed((side, side))
        trunk._get_pos_embed = lambda _: positions

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Embeddings on grids of S / 16, S / 4 and S / 8."""
        finest, finer, coarse = self.image_encoder(image)["backbone_fpn"]
        return coarse + self.no_mem_embed.reshape(1, -1, 1, 1), self.conv_s0(finest), self.conv_s1(finer)


class Decoder(nn.Module):
    """An embedding and a prompt -> (1, 4, S / 4, S / 4) logits, (1, 4) predicted IoUs.

    The single mask comes first, then three candidates.
    """

    image_pe: Tensor

    def __init__(self, model: Sam2) -> None:
        super().__init__()
        self.prompt_encoder, self.mask_decoder = model.sam_prompt_encoder, model.sam_mask_decoder
        with torch.no_grad():
            self.register_buffer("image_pe", model.sam_prompt_encoder.get_dense_pe())

    def forward(  # noqa: PLR0913, PLR0917 - the family's tensors
        self,
        image_embeddings: Tensor,
        high_res_feats_0: Tensor,
        high_res_feats_1: Tensor,
        point_coords: Tensor,
        point_labels: Tensor,
        mask_input: Tensor,
        has_mask_input: Tensor,
    ) -> tuple[Tensor, Tensor]:
        """The padding point is among the points."""
        masks, ious, _, _ = self.mask_decoder.predict_masks(
            image_embeddings=image_embeddings,
            image_pe=self.image_pe,
            sparse_prompt_embeddings=self.prompt_encoder._embed_points(point_coords, point_labels, pad=False),
            dense_prompt_embeddings=self._dense(mask_input, has_mask_input),
            repeat_image=False,
            high_res_features=[high_res_feats_0, high_res_feats_1],
        )
        return masks, ious

    def _dense(self, mask: Tensor, has_mask: Tensor) -> Tensor:
        none = self.prompt_encoder.no_mask_embed.weight.reshape(1, -1, 1, 1)
        return has_mask * self.prompt_encoder._embed_masks(mask) + (1 - has_mask) * none
