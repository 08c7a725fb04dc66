"""segment_anything_hq, imported without the warnings of its TinyViT."""

import warnings

with warnings.catch_warnings():  # written for an older timm, which it registers its own models with
    warnings.filterwarnings("ignore", message=".*timm", category=FutureWarning)
    warnings.filterwarnings("ignore", message="Overwriting tiny_vit", category=UserWarning)
    from segment_anything_hq import SamPredictor
    from segment_anything_hq.modeling import (
        ImageEncoderViT,
        MaskDecoderHQ,
        PromptEncoder,
        Sam,
        TinyViT,
        TwoWayTransformer,
    )
    from segment_anything_hq.modeling.common import LayerNorm2d

__all__ = [
    "ImageEncoderViT",
    "LayerNorm2d",
    "MaskDecoderHQ",
    "PromptEncoder",
    "Sam",
    "SamPredictor",
    "TinyViT",
    "TwoWayTransformer",
]
