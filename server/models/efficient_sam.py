"""EfficientSAM: a decoder that knows clicks on an object and boxes, and gives three candidates.

Follows `efficient_sam/efficient_sam.py` of yformer/EfficientSAM: a prompt is padded to six points, and the candidate
with the best predicted IoU is taken. It drops points after the sixth; here they are all asked about, or a seventh click
would change nothing. The model was trained without negative clicks and without mask prompts. So negative clicks only
choose among the candidates, and `Prompt.previous` and `Prompt.drawn` are ignored: what was drawn comes with a box and
points, and clicks on an earlier mask with all clicks before.
"""

from functools import partial

import numpy as np
from numpy.typing import NDArray

from server.core.embedding import Image, ImageEmbedding
from server.core.geometry import ImageSize
from server.core.prediction import MaskPrediction
from server.core.prompt import Prompt
from server.models.candidates import candidate
from server.models.family import Tensors
from server.models.manifest import Preprocessing
from server.models.outcome import outcome
from server.models.resize import image_to_input, points_to_input

STOCK_CHOOSES = False
_PADDING, _POSITIVE, _TOP_LEFT, _BOTTOM_RIGHT = -1.0, 1.0, 2.0, 3.0
_POINTS = 6  # that every prompt of the training had, padding included
_NOWHERE = -1.0  # where padding points are, in pixels of the encoder's input; it makes a difference


def encoder_inputs(image: Image, how: Preprocessing) -> Tensors:
    """(1, 3, input_size, input_size) float32: stretched to the square, normalised."""
    return {"image": image_to_input(image, how)}


def embedding(size: ImageSize, outputs: Tensors) -> ImageEmbedding:
    """The (1, 256, 64, 64) image embedding."""
    return ImageEmbedding(size, {"image_embeddings": outputs["image_embeddings"]})


def decoder_inputs(embedding: ImageEmbedding, prompt: Prompt, how: Preprocessing) -> Tensors:
    """Positive clicks and a box's corners in pixels of the encoder's input, padded to six points."""
    rows = [(point.x, point.y, _POSITIVE) for point in prompt.points if point.positive]
    if prompt.box is not None:
        rows += [(prompt.box.x1, prompt.box.y1, _TOP_LEFT), (prompt.box.x2, prompt.box.y2, _BOTTOM_RIGHT)]
    points = np.array(rows, np.float64)  # (N, 3)
    count = max(_POINTS, len(points))
    coords, labels = np.full((1, count, 2), _NOWHERE, np.float32), np.full((1, count), _PADDING, np.float32)
    coords[0, : len(points)] = points_to_input(points[:, :2], prompt.frame, embedding.size, how)
    labels[0, : len(points)] = points[:, 2]
    return {**embedding.tensors, "point_coords": coords, "point_labels": labels}


def prediction(outputs: Tensors, embedding: ImageEmbedding, prompt: Prompt, how: Preprocessing) -> MaskPrediction:
    """The mask in the prompt's frame, of a candidate that holds as few negative clicks as any."""
    return outcome(outputs, embedding.size, prompt, how, partial(_chosen, places=_denied(embedding.size, prompt, how)))


def _denied(size: ImageSize, prompt: Prompt, how: Preprocessing) -> NDArray[np.float32]:
    """(N, 2): where the negative clicks are, as shares of the encoder's input."""
    points = np.array([(point.x, point.y) for point in prompt.points if not point.positive], np.float64)
    return points_to_input(points.reshape(-1, 2), prompt.frame, size, how) / np.float32(how.input_size)


def _chosen(logits: NDArray[np.float32], ious: NDArray[np.float32], prompt: Prompt, places: NDArray[np.float32]) -> int:
    """The index of the best candidate among those, of (3, h, w) logits, that hold the fewest places."""
    side = logits.shape[-1]
    columns, rows = np.clip(places * side, 0, side - 1).astype(np.intp).T
    held = np.count_nonzero(logits[:, rows, columns] > 0, axis=1)
    left = np.flatnonzero(held == held.min())
    return int(left[candidate(logits[left], ious[left], prompt)])
