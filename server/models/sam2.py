"""Segment Anything 2 and 2.1, for images.

Follows `sam2_image_predictor.py` and `utils/transforms.py` of facebookresearch/sam2: the image is stretched over the
whole input, a padding point follows every prompt, and logits that are fed back are clamped. The decoder sees two finer
maps of the image besides the embedding. It gives a single mask and three candidates; the candidates are for one click,
and for where the single mask is unstable.
"""

import numpy as np
from numpy.typing import NDArray

from server.core.embedding import Image, ImageEmbedding
from server.core.geometry import ImageSize
from server.core.prediction import MaskPrediction
from server.core.prompt import Prompt
from server.models.candidates import chosen
from server.models.family import Tensors
from server.models.manifest import Preprocessing
from server.models.outcome import outcome
from server.models.prompt_tensors import prompt_tensors
from server.models.resize import LOGITS_PER_POSITION, image_to_input

_OF_IMAGE = ("image_embeddings", "high_res_feats_0", "high_res_feats_1")
_LARGEST_LOGIT = 32.0
STOCK_CHOOSES = False
_STABILITY_OFFSET, _LEAST_STABILITY = 0.05, 0.98  # as build_sam2 sets them


def encoder_inputs(image: Image, how: Preprocessing) -> Tensors:
    """(1, 3, input_size, input_size) float32: stretched, normalised."""
    return {"image": image_to_input(image, how)}


def embedding(size: ImageSize, outputs: Tensors) -> ImageEmbedding:
    """The (1, 256, 64, 64) image embedding, and finer maps: (1, 32, 256, 256) and (1, 64, 128, 128)."""
    return ImageEmbedding(size, {name: outputs[name] for name in _OF_IMAGE})


def decoder_inputs(embedding: ImageEmbedding, prompt: Prompt, how: Preprocessing) -> Tensors:
    """Points scaled from the prompt's frame to the encoder's input, and a padding point."""
    side = LOGITS_PER_POSITION * embedding.tensors["image_embeddings"].shape[-1]
    asked = dict(prompt_tensors(prompt, embedding.size, side, how, pads_box=True))
    asked["mask_input"] = asked["mask_input"].clip(-_LARGEST_LOGIT, _LARGEST_LOGIT)
    return {**embedding.tensors, **asked}


def prediction(outputs: Tensors, embedding: ImageEmbedding, prompt: Prompt, how: Preprocessing) -> MaskPrediction:
    """The mask in the prompt's frame."""
    return outcome(outputs, embedding.size, prompt, how, _chosen)


def _chosen(logits: NDArray[np.float32], ious: NDArray[np.float32], prompt: Prompt) -> int:
    """The index among (4, h, w): the single mask for a box too, and a candidate in place of an unstable one."""
    number = chosen(logits, ious, prompt) if prompt.box is None else 0
    return number if number or _is_stable(logits[0]) else 1 + int(ious[1:].argmax())


def _is_stable(logits: NDArray[np.float32]) -> bool:
    """Whether the masks at a stricter and at a laxer threshold are nearly the same."""
    strict, lax = (np.count_nonzero(logits > offset) for offset in (_STABILITY_OFFSET, -_STABILITY_OFFSET))
    return bool(strict >= _LEAST_STABILITY * lax)
