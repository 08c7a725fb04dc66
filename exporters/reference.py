"""A model as torch runs it, between the same arrays as the server's graphs."""

import numpy as np
import torch

from exporters.exportable import Exportable
from server.core.embedding import Image, ImageEmbedding
from server.core.geometry import ImageSize
from server.core.prediction import MaskPrediction
from server.core.prompt import Prompt
from server.models.family import Tensors
from server.models.registry import family


class TorchModel:
    """Encodes and decodes with the halves themselves; what is around them is the server's code.

    Attributes:
        how: its preprocessing.
    """

    def __init__(self, model: Exportable) -> None:
        self._model, self._family, self.how = model, family(model.family), model.preprocessing

    def encode(self, image: Image) -> ImageEmbedding:
        """The embedding of an (H, W, 3) uint8 RGB image."""
        inputs = self._family.encoder_inputs(image, self.how)
        outputs = _run(self._model.encoder, ("image",), inputs, self._model.encoder_outputs)
        return self._family.embedding(ImageSize(*image.shape[:2]), outputs)

    def decode(self, embedding: ImageEmbedding, prompt: Prompt) -> MaskPrediction:
        """The mask that `prompt` asks for, in the prompt's frame."""
        inputs = self._family.decoder_inputs(embedding, prompt, self.how)
        outputs = _run(self._model.decoder, tuple(self._model.decoder_inputs), inputs, self._model.decoder_outputs)
        return self._family.prediction(outputs, embedding, prompt, self.how)


def _run(module: torch.nn.Module, order: tuple[str, ...], inputs: Tensors, outputs: tuple[str, ...]) -> Tensors:
    with torch.no_grad():
        given = module(*(torch.from_numpy(np.array(inputs[name])) for name in order))
    tensors = given if isinstance(given, tuple | list) else (given,)
    return {name: tensor.numpy() for name, tensor in zip(outputs, tensors, strict=True)}
