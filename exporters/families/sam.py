"""Segment Anything (ViT-B, ViT-L, ViT-H) and MobileSAM, told apart by their tensors."""

from collections.abc import Mapping
from typing import Any

import torch
from segment_anything.modeling import ImageEncoderViT, MaskDecoder, PromptEncoder, Sam, TwoWayTransformer
from segment_anything.utils.onnx import SamOnnxModel

from exporters.exportable import Exportable
from exporters.families.sam_shapes import (
    IMAGENET,
    mask_decoder_arguments,
    prompt_encoder_arguments,
    transformer_arguments,
    vit_arguments,
)
from exporters.families.state import State
from exporters.families.tiny_vit import GRID, INPUT_SIZE, UNUSED, is_tiny_vit, tiny_vit
from server.models.manifest import Preprocessing

_PUBLISHED = {(768, 12): ("sam_vit_b", "ViT-B"), (1024, 24): ("sam_vit_l", "ViT-L"), (1280, 32): ("sam_vit_h", "ViT-H")}


class _FeaturesLeft(torch.nn.Module):
    """An encoder that gives the image embedding alone."""

    def __init__(self, encoder: torch.nn.Module) -> None:
        super().__init__()
        self._encoder = encoder

    def forward(self, image: torch.Tensor) -> Any:
        return self._encoder(image)[0]


class _LowResolution(SamOnnxModel):  # a module, as segment_anything's own ONNX export has it
    """Its decoder without the masks in full size, which the server makes itself."""

    def mask_postprocessing(self, masks: torch.Tensor, orig_im_size: None) -> torch.Tensor:  # noqa: ARG002 - its name
        return masks

    def forward(self, *prompt: torch.Tensor) -> Any:
        return super().forward(*prompt, None)[1:]


def exportable(tensors: Mapping[str, torch.Tensor]) -> Exportable:
    """The model in a checkpoint's tensors.

    Raises:
        ModelUnusable: it is none of this family.
    """
    state = State(tensors, "sam")
    return _mobile(state) if is_tiny_vit(state) else _original(state)


def _mobile(state: State) -> Exportable:
    model = _filled(state, tiny_vit(state), GRID, INPUT_SIZE)
    homepage = "https://github.com/ChaoningZhang/MobileSAM"
    return _halves(model, _FeaturesLeft(model.image_encoder), ("mobile_sam_vit_t", "MobileSAM", homepage), INPUT_SIZE)


def _original(state: State) -> Exportable:
    arguments = vit_arguments(state)
    width, depth, input_size = arguments["embed_dim"], arguments["depth"], arguments["img_size"]
    model = _filled(state, ImageEncoderViT(**arguments), input_size // arguments["patch_size"], input_size)
    name, size = _PUBLISHED.get((width, depth), (f"sam_vit_{width}x{depth}", f"ViT {width} x {depth}"))
    homepage = "https://github.com/facebookresearch/segment-anything"
    return _halves(model, model.image_encoder, (name, f"Segment Anything {size}", homepage), input_size)


def _filled(state: State, encoder: torch.nn.Module, grid: int, input_size: int) -> Any:
    transformer = TwoWayTransformer(**transformer_arguments(state))
    model = Sam(
        encoder,
        PromptEncoder(**prompt_encoder_arguments(state, grid, input_size)),
        MaskDecoder(transformer=transformer, **mask_decoder_arguments(state)),
    )
    state.fill(model, UNUSED if is_tiny_vit(state) else ())
    model.image_encoder.img_size = input_size
    return model


def _halves(model: Any, encoder: torch.nn.Module, names: tuple[str, str, str], input_size: int) -> Exportable:
    """The decoder is segment_anything's own ONNX export: of several masks it gives one."""
    variant, title, homepage = names
    width, (grid, _) = model.prompt_encoder.embed_dim, model.prompt_encoder.image_embedding_size
    return Exportable(
        variant=variant,
        title=title,
        license="Apache-2.0",
        homepage=homepage,
        family="sam",
        encoder=encoder,
        encoder_outputs=("image_embeddings",),
        decoder=_LowResolution(model, return_single_mask=True),
        decoder_inputs={
            "image_embeddings": torch.zeros(1, width, grid, grid),
            "point_coords": torch.tensor([[[100.0, 90.0], [0.0, 0.0], [30.0, 40.0]]]) * input_size / 1024,
            "point_labels": torch.tensor([[1.0, -1.0, 0.0]]),
            "mask_input": torch.zeros(1, 1, 4 * grid, 4 * grid),
            "has_mask_input": torch.zeros(1),
        },
        decoder_axes={"point_coords": {1: "points"}, "point_labels": {1: "points"}},
        decoder_outputs=("iou_predictions", "low_res_masks"),
        preprocessing=Preprocessing(input_size, "longest_side_bilinear_antialias", *IMAGENET),
    )
