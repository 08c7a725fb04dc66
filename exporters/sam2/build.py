"""SAM 2 for images, built as a checkpoint's names and shapes say, and filled with it."""

from typing import Any

from sam2.modeling.backbones import hieradet
from sam2.modeling.backbones.image_encoder import FpnNeck, ImageEncoder
from sam2.modeling.sam.mask_decoder import MaskDecoder
from sam2.modeling.sam.prompt_encoder import PromptEncoder
from sam2.modeling.sam.transformer import TwoWayTransformer
from torch import nn

from exporters.families.state import State
from exporters.sam2.halves import Sam2
from exporters.sam2.hiera import Hiera

_VIDEO_ONLY = (
    r"memory_attention\.",
    r"memory_encoder\.",
    r"mask_downsample\.",
    r"maskmem_tpos_enc$",
    r"no_mem_pos_enc$",
    r"no_obj_embed_spatial$",
    r"no_obj_ptr$",
    r"obj_ptr_(tpos_)?proj\.",
)
_STRIDE, _HEADS = 16, 8  # of the image embedding; of the decoder's attention
_PROMPTS, _DECODER = "sam_prompt_encoder", "sam_mask_decoder"


def build(state: State, hiera: Hiera) -> Sam2:
    """The model in evaluation mode.

    Raises:
        ModelUnusable: the weights are not those of such a model.
    """
    model = Sam2(_image_encoder(state, hiera), _prompt_encoder(state, hiera), _mask_decoder(state))
    state.fill(model, _VIDEO_ONLY)
    return model


def _image_encoder(state: State, hiera: Hiera) -> Any:
    trunk = hieradet.Hiera(
        embed_dim=hiera.width,
        num_heads=hiera.untold.heads,
        q_pool=len(hiera.stages) - 1,
        stages=hiera.stages,
        window_pos_embed_bkg_spatial_size=hiera.positions,
        window_spec=hiera.untold.windows,
        global_att_blocks=hiera.untold.global_blocks,
    )
    neck = FpnNeck(
        position_encoding=nn.Identity(),  # only video asks where something is
        d_model=state.matrix("image_encoder.neck.convs.0.conv.weight")[0],
        backbone_channel_list=trunk.channel_list,
        fpn_top_down_levels=[2, 3],
        fpn_interp_model="nearest",
    )
    return ImageEncoder(trunk, neck, scalp=1)


def _prompt_encoder(state: State, hiera: Hiera) -> Any:
    size = hiera.untold.input_size
    return PromptEncoder(
        embed_dim=state.matrix(f"{_PROMPTS}.no_mask_embed.weight")[1],
        image_embedding_size=(size // _STRIDE, size // _STRIDE),
        input_image_size=(size, size),
        mask_in_chans=state.matrix(f"{_PROMPTS}.mask_downscaling.3.weight")[0],
    )


def _mask_decoder(state: State) -> Any:
    masks, width = state.matrix(f"{_DECODER}.mask_tokens.weight")
    layers, ious = f"{_DECODER}.transformer.layers", f"{_DECODER}.iou_prediction_head.layers"
    mlp, _ = state.matrix(f"{layers}.0.mlp.layers.0.weight")
    return MaskDecoder(
        transformer_dim=width,
        transformer=TwoWayTransformer(depth=state.depth(layers), embedding_dim=width, num_heads=_HEADS, mlp_dim=mlp),
        num_multimask_outputs=masks - 1,
        iou_head_depth=state.depth(ious),
        iou_head_hidden_dim=state.matrix(f"{ious}.0.weight")[0],
        use_high_res_features=True,
        iou_prediction_use_sigmoid=True,
        pred_obj_scores=f"{_DECODER}.obj_score_token.weight" in state,
        pred_obj_scores_mlp=f"{_DECODER}.pred_obj_score_head.layers.0.weight" in state,
    )
