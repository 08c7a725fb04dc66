"""Segment Anything and the models that share its decoder (MobileSAM).

Follows `segment_anything/utils/transforms.py` and `utils/onnx.py` of facebookresearch/segment-anything: the longest
side is resized to `input_size`, pixels are normalised and then zero-padded right and bottom; points are scaled alike.
The stock decoder's graph returns one mask: of two points (the padding point counts) the best of three by predicted
IoU, of more the single-mask token. samserve's own graphs return all four, and `candidates` chooses.
"""

import cv2
import numpy as np
from PIL import Image as PillowImage

from server.core.embedding import Image, ImageEmbedding
from server.core.geometry import ImageSize
from server.core.prediction import Logits, MaskPrediction
from server.core.prompt import Prompt
from server.models.candidates import chosen
from server.models.family import Tensors
from server.models.manifest import Preprocessing
from server.models.upsample import upsampled

_POSITIVE, _NEGATIVE, _PADDING, _TOP_LEFT, _BOTTOM_RIGHT = 1.0, 0.0, -1.0, 2.0, 3.0
_LOGITS_PER_POSITION = 4  # along a side: of a mask, per position of the image embedding
_DRAWN_LOGIT = 7.0  # how sure a drawn mask is; 7 to 15 gave the same masks
_SMALLEST_OUTPUT = np.array([256, 256], np.float32)  # the graph's own full-size masks are not used


def encoder_inputs(image: Image, how: Preprocessing) -> Tensors:
    """(1, 3, input_size, input_size) float32: resized, normalised, zero-padded."""
    size = _resized(ImageSize(*image.shape[:2]), how.input_size)
    height, width = size.height, size.width
    pixels = PillowImage.fromarray(image).resize((width, height), PillowImage.Resampling.BILINEAR)
    padded = np.zeros((1, 3, how.input_size, how.input_size), np.float32)
    content = padded[0, :, :height, :width]
    mean, std = (np.array(channels, np.float32)[:, None, None] for channels in (how.mean, how.std))
    np.subtract(np.asarray(pixels).transpose(2, 0, 1), mean, out=content)  # (h, w, 3) -> (3, h, w)
    np.divide(content, std, out=content)
    return {"image": padded}


def embedding(size: ImageSize, outputs: Tensors) -> ImageEmbedding:
    """The (1, D, grid, grid) image embedding; 256 channels on a grid of 64 in all published models."""
    return ImageEmbedding(size, {"image_embeddings": outputs["image_embeddings"]})


def decoder_inputs(embedding: ImageEmbedding, prompt: Prompt, how: Preprocessing) -> Tensors:
    """Points scaled from the prompt's frame to the encoder's input; without a box a padding point follows."""
    rows = [(point.x, point.y, _POSITIVE if point.positive else _NEGATIVE) for point in prompt.points]
    if prompt.box is None:
        rows.append((0.0, 0.0, _PADDING))
    else:
        rows += [(prompt.box.x1, prompt.box.y1, _TOP_LEFT), (prompt.box.x2, prompt.box.y2, _BOTTOM_RIGHT)]
    points = np.array(rows, np.float64)  # (N, 3)
    to_input = how.input_size / embedding.size.longest
    to_image = (embedding.size.width / prompt.frame.width, embedding.size.height / prompt.frame.height)
    side = _LOGITS_PER_POSITION * embedding.tensors["image_embeddings"].shape[-1]
    mask = _mask_input(prompt, side)
    return {
        "image_embeddings": embedding.tensors["image_embeddings"],
        "point_coords": (points[None, :, :2] * to_image * to_input).astype(np.float32),
        "point_labels": points[None, :, 2].astype(np.float32),
        "mask_input": np.zeros((1, 1, side, side), np.float32) if mask is None else mask[None, None],
        "has_mask_input": np.array([mask is not None], np.float32),
        "orig_im_size": _SMALLEST_OUTPUT,
    }


def prediction(outputs: Tensors, embedding: ImageEmbedding, prompt: Prompt, how: Preprocessing) -> MaskPrediction:
    """The mask in the prompt's frame."""
    masks, ious = (outputs[name][0].astype(np.float32, copy=False) for name in ("low_res_masks", "iou_predictions"))
    number = chosen(masks, ious, prompt)
    low_res: Logits = masks[number].copy()  # the others need not be kept with it
    return MaskPrediction(
        mask=upsampled(low_res, _resized(embedding.size, how.input_size), how.input_size, prompt.frame),
        iou_prediction=float(ious[number]),
        low_res_logits=low_res,
    )


def _mask_input(prompt: Prompt, side: int) -> Logits | None:
    """(side, side) logits: of the mask that is refined, or of a drawn one, scaled and padded as the image is."""
    if prompt.previous is not None or prompt.drawn is None:
        return prompt.previous
    drawn = prompt.drawn
    size = _resized(ImageSize(*drawn.shape), side)
    share = cv2.resize(drawn.astype(np.float32), (size.width, size.height), interpolation=cv2.INTER_AREA)
    logits = np.full((side, side), -_DRAWN_LOGIT, np.float32)
    logits[: size.height, : size.width] = (2 * share - 1) * _DRAWN_LOGIT
    return logits


def _resized(size: ImageSize, longest: int) -> ImageSize:
    """An image's size after its longest side was resized to `longest`."""
    scale = longest / size.longest
    return ImageSize(max(1, int(size.height * scale + 0.5)), max(1, int(size.width * scale + 0.5)))
