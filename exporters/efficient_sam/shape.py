"""A checkpoint's shape, read off the names and shapes of its weights."""

from math import isqrt

from exporters.efficient_sam.decoder import DecoderShape, HeadShape
from exporters.efficient_sam.encoder import EncoderShape
from exporters.efficient_sam.model import ModelShape
from exporters.efficient_sam.transformer import TransformerShape
from exporters.families.state import State

INPUT_SIZE = 1024  # of all that is published; weights do not tell
_HEAD_WIDTH = 64  # of both encoders that are published; weights do not tell
_DECODER_HEADS = 8  # as published; weights do not tell


def model_shape(state: State) -> ModelShape:
    """The shape of the model that a checkpoint's weights are of.

    Raises:
        ModelUnusable: weights that tell it are missing, or tell of a model that cannot be.
    """
    return ModelShape(_encoder(state), _decoder(state))


def _encoder(state: State) -> EncoderShape:
    width, _, patch, _ = state.shape("image_encoder.patch_embed.proj.weight")
    if width % _HEAD_WIDTH:
        raise state.unfit(f"its encoder is {width} wide, which is no multiple of a head's {_HEAD_WIDTH}")
    patches = state.matrix("image_encoder.pos_embed")[1] - 1  # beside a class token
    if isqrt(patches) ** 2 != patches:
        raise state.unfit(f"its {patches} positions are no square")
    return EncoderShape(
        side=INPUT_SIZE // patch,
        patch=patch,
        width=width,
        depth=state.depth("image_encoder.blocks"),
        heads=width // _HEAD_WIDTH,
        mlp_width=state.matrix("image_encoder.blocks.0.mlp.fc1.weight")[0],
        channels=state.matrix("image_encoder.neck.0.weight")[0],
    )


def _decoder(state: State) -> DecoderShape:
    upscaling = "mask_decoder.final_output_upscaling_layers"
    return DecoderShape(
        transformer=_transformer(state, "mask_decoder.transformer.layers"),
        masks=state.matrix("mask_decoder.mask_tokens.weight")[0],
        upscaled=tuple(state.matrix(f"{upscaling}.{number}.0.weight")[1] for number in range(state.depth(upscaling))),
        mask_head=_head(state, "mask_decoder.output_hypernetworks_mlps.0.layers"),
        iou_head=_head(state, "mask_decoder.iou_prediction_head.layers"),
    )


def _transformer(state: State, layers: str) -> TransformerShape:
    inner, channels = state.matrix(f"{layers}.0.cross_attn_token_to_image.q_proj.weight")
    if inner % _DECODER_HEADS or channels % _DECODER_HEADS:
        raise state.unfit(f"its decoder attends {inner} and {channels} wide, which {_DECODER_HEADS} heads cannot share")
    mlp = _head(state, f"{layers}.0.mlp.layers")
    return TransformerShape(channels, inner, state.depth(layers), _DECODER_HEADS, mlp.width, mlp.depth)


def _head(state: State, layers: str) -> HeadShape:
    return HeadShape(state.matrix(f"{layers}.0.0.weight")[0], state.depth(layers))
