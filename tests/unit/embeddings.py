"""Embeddings to keep and find again."""

import numpy as np

from server.core.embedding import EmbeddingKey, ImageEmbedding
from server.core.geometry import ImageSize


def key(name: str) -> EmbeddingKey:
    return EmbeddingKey(name, "encoder", "preprocessing")


def embedding(number: int, nbytes: int = 1000) -> ImageEmbedding:
    """One that no other number has."""
    return ImageEmbedding(ImageSize(number + 1, 2), {"a": np.full(nbytes, number % 256, np.uint8)})


def number_of(found: ImageEmbedding | None) -> int | None:
    """The number that it was made with; a damaged one fails here."""
    if found is None:
        return None
    number = found.size.height - 1
    assert (found.tensors["a"] == number % 256).all()
    return number
