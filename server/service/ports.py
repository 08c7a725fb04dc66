"""What the service needs of the outside; app.py decides who provides it."""

from typing import Protocol

from server.core.embedding import EmbeddingKey, Image, ImageEmbedding
from server.core.prediction import MaskPrediction
from server.core.prompt import Prompt
from server.core.reference import ImageReference


class Model(Protocol):
    """Pure computation, safe to call from any thread; blocks."""

    def key(self, image_sha256: str) -> EmbeddingKey:
        """The key of an image's embedding by this model."""
        ...

    def encode(self, image: Image) -> ImageEmbedding:
        """The embedding of an image."""
        ...

    def decode(self, embedding: ImageEmbedding, prompt: Prompt) -> MaskPrediction:
        """The mask that a prompt asks for, in the prompt's frame."""
        ...


class EmbeddingCache(Protocol):
    """Keeps embeddings; may forget any of them at any time."""

    async def find(self, key: EmbeddingKey) -> ImageEmbedding | None:
        """The embedding; None when it is not here. What was put meanwhile is found."""
        ...

    def put(self, key: EmbeddingKey, embedding: ImageEmbedding) -> None:
        """Keeps the embedding for a while; does not block."""
        ...


class ImageSource(Protocol):
    """Finds the bytes of a task's image."""

    def locate(self, reference: ImageReference) -> str:
        """The absolute URI of an image: the same for the same image, different for different ones.

        Raises:
            ImageRefused: no rule says how to fetch such a reference.
        """
        ...

    async def fetch(self, uri: str) -> bytes:
        """The bytes at a located URI.

        Raises:
            ImageError: they cannot be had.
        """
        ...


class ImageDecoder(Protocol):
    """Turns an image file's bytes into pixels; blocks."""

    def __call__(self, content: bytes) -> Image:
        """The pixels.

        Raises:
            ImageError: they cannot be had from these bytes.
        """
        ...
