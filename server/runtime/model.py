"""A model: its graphs, run the way its family says."""

from copy import copy
from functools import partial
from pathlib import Path

import numpy as np

from server.core.embedding import EmbeddingKey, Image, ImageEmbedding
from server.core.geometry import ImageSize, Point
from server.core.prediction import MaskPrediction
from server.core.prompt import Prompt
from server.models.manifest import Manifest
from server.models.registry import family
from server.runtime.decoders import Decoder, StockDecoder
from server.runtime.parity import check_parity, example_picture
from server.runtime.providers import AUTO
from server.runtime.session import Session
from server.stages import stage


class SamModel:
    """Encodes images and decodes prompts; any thread may call it, and no answer depends on those before."""

    def __init__(self, manifest: Manifest, folder: Path, threads: int, provider: str = AUTO) -> None:
        self._family = family(manifest.family)
        self._how = manifest.preprocessing
        self._encoder_identity = manifest.encoder.identity
        self._encoder = Session(folder / manifest.encoder.file, manifest.encoder, threads, provider)
        self._decoder: Decoder = StockDecoder(
            Session(folder / manifest.decoder.file, manifest.decoder, threads, provider)
        )
        self.title = manifest.title
        self.version = manifest.version

    @property
    def provider(self) -> str:
        """The execution provider that really runs the encoder."""
        return self._encoder.provider

    @property
    def decoder(self) -> str:
        """Which decoder is used: fast or stock."""
        return self._decoder.name

    @property
    def chooses(self) -> bool:
        """Whether its decoder gives several masks, so that a click can choose among them."""
        return self.decoder != "stock" or not self._family.STOCK_CHOOSES

    def key(self, image_sha256: str) -> EmbeddingKey:
        """The key of an image's embedding by this model."""
        return EmbeddingKey(image_sha256, self._encoder_identity, self._how.version)

    def encode(self, image: Image) -> ImageEmbedding:
        """The embedding of an (H, W, 3) uint8 RGB image."""
        outputs = self._encoder.run(self._family.encoder_inputs(image, self._how))
        return self._family.embedding(ImageSize(*image.shape[:2]), outputs)

    def decode(self, embedding: ImageEmbedding, prompt: Prompt) -> MaskPrediction:
        """The mask that `prompt` asks for, in the prompt's frame."""
        with stage("decoder"):
            outputs = self._decoder.run(embedding, self._family.decoder_inputs(embedding, prompt, self._how))
        with stage("postprocess"):
            return self._family.prediction(outputs, embedding, prompt, self._how)

    def prepare(self, embedding: ImageEmbedding) -> None:
        """Computes what the first prompt on an image would have to wait for, some 10 ms."""
        self._decoder.prepare(embedding)

    def use(self, decoder: Decoder) -> None:
        """From now on decodes with `decoder`; for before the first request, and as good as `warm_up`.

        Raises:
            ModelUnusable: it answers otherwise than the one before, which stays then.
        """
        other = copy(self)
        other._decoder = decoder
        embedding = self.encode(example_picture())
        check_parity(partial(self.decode, embedding), partial(other.decode, embedding))
        self._decoder = decoder

    def warm_up(self) -> None:
        """Runs both graphs once, so that the first click pays for no first-run allocation."""
        embedding = self.encode(np.zeros((64, 64, 3), np.uint8))
        self.decode(embedding, Prompt(embedding.size, (Point(32, 32),)))
