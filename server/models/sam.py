"""Segment Anything and the models that share its decoder (MobileSAM).

Follows `segment_anything/utils/transforms.py` and `utils/onnx.py` of facebookresearch/segment-anything: the longest
side is resized to `input_size`, pixels are normalised and then zero-padded right and bottom; points are scaled alike.
The stock decoder's graph returns one mask: of two points (the padding point counts) the best of three by predicted
IoU, of more the single-mask token. samserve's own graphs return all four, and `candidates` chooses.
"""

import numpy as np

from server.core.embedding import Image, ImageEmbedding
from server.core.geometry import ImageSize
from server.core.prediction import MaskPrediction
from server.core.prompt import Prompt
from server.models.family import Tensors
from server.models.manifest import Preprocessing
from server.models.outcome import outcome
from server.models.prompt_tensors import prompt_tensors
from server.models.resize import LOGITS_PER_POSITION, content, image_to_input

STOCK_CHOOSES = True
_SMALLEST_OUTPUT = np.array([256, 256], np.float32)  # the graph's own full-size masks are not used


def encoder_inputs(image: Image, how: Preprocessing) -> Tensors:
    """(1, 3, input_size, input_size) float32: resized, normalised, zero-padded.

    `content` is how many (rows, columns) of it are image, (2,) float32; stock graphs do without.
    """
    size = content(ImageSize(*image.shape[:2]), how.input_size, how)
    return {"image": image_to_input(image, how), "content": np.array([size.height, size.width], np.float32)}


def embedding(size: ImageSize, outputs: Tensors) -> ImageEmbedding:
    """The (1, D, grid, grid) image embedding; 256 channels on a grid of 64 in all published models."""
    return ImageEmbedding(size, {"image_embeddings": outputs["image_embeddings"]})


def decoder_inputs(embedding: ImageEmbedding, prompt: Prompt, how: Preprocessing) -> Tensors:
    """Points scaled from the prompt's frame to the encoder's input; without a box a padding point follows."""
    side = LOGITS_PER_POSITION * embedding.tensors["image_embeddings"].shape[-1]
    return {
        **embedding.tensors,
        **prompt_tensors(prompt, embedding.size, side, how),
        "orig_im_size": _SMALLEST_OUTPUT,
    }


def prediction(outputs: Tensors, embedding: ImageEmbedding, prompt: Prompt, how: Preprocessing) -> MaskPrediction:
    """The mask in the prompt's frame."""
    return outcome(outputs, embedding.size, prompt, how)
