"""A small SAM 2.1 with seeded random weights, of sam2's own classes, video and all."""

import torch
from sam2.modeling.backbones.hieradet import Hiera
from sam2.modeling.backbones.image_encoder import FpnNeck, ImageEncoder
from sam2.modeling.position_encoding import PositionEmbeddingSine
from sam2.modeling.sam2_base import SAM2Base

from exporters.sam2.hiera import Untold

SMALL = Untold("small", heads=1, windows=(8, 4, 14, 7), global_blocks=(4,), input_size=256)
_GAIN = 3  # at which random masks are neither empty nor full, and differ by prompt


WIDTH, STAGES = 16, (1, 2, 3, 1)


def sam2(untold: Untold = SMALL, width: int = WIDTH, stages: tuple[int, ...] = STAGES, channels: int = 64) -> SAM2Base:
    """What build_sam2 gives of a configuration like SAM 2.1's, but for the memory, whose modules are left out."""
    torch.manual_seed(5)
    trunk = Hiera(
        embed_dim=width,
        num_heads=untold.heads,
        stages=stages,
        window_spec=untold.windows,
        global_att_blocks=untold.global_blocks,
        window_pos_embed_bkg_spatial_size=(7, 7),
    )
    neck = FpnNeck(
        PositionEmbeddingSine(channels),
        channels,
        trunk.channel_list,
        fpn_top_down_levels=[2, 3],
        fpn_interp_model="nearest",
    )
    model = SAM2Base(
        ImageEncoder(trunk, neck, scalp=1),
        memory_attention=None,
        memory_encoder=None,
        image_size=untold.input_size,
        directly_add_no_mem_embed=True,
        no_obj_embed_spatial=True,
        use_high_res_features_in_sam=True,
        iou_prediction_use_sigmoid=True,
        use_obj_ptrs_in_encoder=True,
        pred_obj_scores=True,
        pred_obj_scores_mlp=True,
        use_mlp_for_obj_ptr_proj=True,
        sam_mask_decoder_extra_args={
            "dynamic_multimask_via_stability": True,
            "dynamic_multimask_stability_delta": 0.05,
            "dynamic_multimask_stability_thresh": 0.98,
        },
    )
    with torch.no_grad():
        torch.nn.init.normal_(trunk.pos_embed, std=0.5)
        torch.nn.init.normal_(trunk.pos_embed_window, std=0.5)
        for name, weight in model.sam_mask_decoder.named_parameters():
            if weight.ndim > 1 and "token" not in name:
                weight.mul_(_GAIN)
    return model.eval()
