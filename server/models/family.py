"""What one family of models must know; a module with these functions is a family."""

from collections.abc import Mapping
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from server.core.embedding import Image, ImageEmbedding
from server.core.geometry import ImageSize
from server.core.prediction import MaskPrediction
from server.core.prompt import Prompt
from server.models.manifest import Preprocessing

Tensors = Mapping[str, NDArray[np.generic]]


class ModelFamily(Protocol):
    """Pure functions between images, prompts, masks and named tensors.

    Attributes:
        STOCK_CHOOSES: whether the published decoder graph gives but one mask, chosen among those that it makes.
    """

    STOCK_CHOOSES: bool

    def encoder_inputs(self, image: Image, how: Preprocessing) -> Tensors:
        """The encoder's inputs for one image."""
        ...

    def embedding(self, size: ImageSize, outputs: Tensors) -> ImageEmbedding:
        """The embedding of an image of `size` from the encoder's outputs."""
        ...

    def decoder_inputs(self, embedding: ImageEmbedding, prompt: Prompt, how: Preprocessing) -> Tensors:
        """The decoder's inputs for one prompt."""
        ...

    def prediction(
        self, outputs: Tensors, embedding: ImageEmbedding, prompt: Prompt, how: Preprocessing
    ) -> MaskPrediction:
        """The mask, in the prompt's frame, from the decoder's outputs."""
        ...
