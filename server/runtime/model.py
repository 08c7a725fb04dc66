"""A model: its two graphs, run the way its family says."""

from pathlib import Path

import numpy as np

from server.core.embedding import EmbeddingKey, Image, ImageEmbedding
from server.core.geometry import ImageSize, Point
from server.core.prediction import MaskPrediction
from server.core.prompt import Prompt
from server.models.manifest import Manifest
from server.models.registry import family
from server.runtime.providers import AUTO
from server.runtime.session import Session
from server.stages import stage


class SamModel:
    """Encodes images and decodes prompts; holds no state of either, so any thread may call it."""

    def __init__(self, manifest: Manifest, folder: Path, threads: int, provider: str = AUTO) -> None:
        self._family = family(manifest.family)
        self._how = manifest.preprocessing
        self._encoder_sha256 = manifest.encoder.sha256
        self._encoder = Session(folder / manifest.encoder.file, manifest.encoder, threads, provider)
        self._decoder = Session(folder / manifest.decoder.file, manifest.decoder, threads, provider)
        self.title = manifest.title
        self.version = manifest.version

    @property
    def provider(self) -> str:
        """The execution provider that really runs the encoder."""
        return self._encoder.provider

    def key(self, image_sha256: str) -> EmbeddingKey:
        """The key of an image's embedding by this model."""
        return EmbeddingKey(image_sha256, self._encoder_sha256, self._how.version)

    def encode(self, image: Image) -> ImageEmbedding:
        """The embedding of an (H, W, 3) uint8 RGB image."""
        outputs = self._encoder.run(self._family.encoder_inputs(image, self._how))
        return self._family.embedding(ImageSize(*image.shape[:2]), outputs)

    def decode(self, embedding: ImageEmbedding, prompt: Prompt) -> MaskPrediction:
        """The mask that `prompt` asks for, in the prompt's frame."""
        with stage("decoder"):
            outputs = self._decoder.run(self._family.decoder_inputs(embedding, prompt, self._how))
        with stage("postprocess"):
            return self._family.prediction(outputs, embedding, prompt, self._how)

    def warm_up(self) -> None:
        """Runs both graphs once, so that the first click pays for no first-run allocation."""
        embedding = self.encode(np.zeros((64, 64, 3), np.uint8))
        self.decode(embedding, Prompt(embedding.size, (Point(32, 32),)))
