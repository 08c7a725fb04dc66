"""What a prompt is decoded on: an image, or a part of it."""

from dataclasses import dataclass

from server.core.crop import Crop
from server.core.embedding import EmbeddingKey, ImageEmbedding
from server.core.geometry import ImageSize
from server.core.prediction import MaskPrediction
from server.core.prompt import Prompt
from server.core.reference import ImageReference


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """An image as a prompt sees it.

    Attributes:
        reference: the whole image's.
        key: what the whole image's embedding is kept under; an image replaced under its URL has another.
        whole: its embedding.
        embedding: the crop's; without one, the whole image's.
        crop: the part that is looked at.
    """

    reference: ImageReference
    key: EmbeddingKey
    whole: ImageEmbedding
    embedding: ImageEmbedding
    crop: Crop | None = None

    def prompt(self, prompt: Prompt) -> Prompt:
        """What a prompt on the image asks of what is looked at."""
        return self.crop.prompt(prompt) if self.crop else prompt

    def prediction(self, found: MaskPrediction, frame: ImageSize) -> MaskPrediction:
        """What was found there, in a frame of the whole image."""
        return self.crop.prediction(found, frame) if self.crop else found
