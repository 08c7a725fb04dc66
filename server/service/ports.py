"""What the service needs of the outside; app.py decides who provides it."""

from collections.abc import Callable, Sequence
from typing import Protocol

from server.core.embedding import EmbeddingKey, Image, ImageEmbedding
from server.core.prediction import MaskPrediction
from server.core.prompt import Prompt
from server.core.reference import ImageReference
from server.core.task import Task
from server.core.tier_counts import TierCounts


class Model(Protocol):
    """Pure computation, safe to call from any thread; blocks."""

    def key(self, image_sha256: str) -> EmbeddingKey:
        """The key of an image's embedding by this model."""
        ...

    def encode(self, image: Image, is_urgent: Callable[[], bool] = lambda: True) -> ImageEmbedding:
        """The embedding of an image; it may wait for others, and go with others, while `is_urgent` says that it may."""
        ...

    def prepare(self, embedding: ImageEmbedding) -> None:
        """Computes what the first prompt on an image would have to wait for."""
        ...

    def decode(self, embedding: ImageEmbedding, prompt: Prompt) -> MaskPrediction:
        """The mask that a prompt asks for, in the prompt's frame."""
        ...


class KeepsTiers(Protocol):
    """Keeps embeddings, or what is derived of them, in one tier or in several."""

    def tiers(self) -> list[TierCounts]:
        """How each tier has served, the nearest first."""
        ...


class EmbeddingCache(KeepsTiers, Protocol):
    """Keeps embeddings; may forget any of them at any time."""

    async def find(self, key: EmbeddingKey) -> ImageEmbedding | None:
        """The embedding; None when it is not here. What was put meanwhile is found."""
        ...

    async def has(self, key: EmbeddingKey) -> bool:
        """Whether the embedding is here; costs less than finding it, and keeps it from being forgotten next."""
        ...

    def put(self, key: EmbeddingKey, embedding: ImageEmbedding) -> None:
        """Keeps the embedding for a while; does not block."""
        ...

    def put_away(self, key: EmbeddingKey, embedding: ImageEmbedding) -> None:
        """As `put`, for one that is not wanted soon: it takes no room from those that are, where it can."""
        ...

    async def written(self) -> None:
        """Returns once everything put so far is where it is to be kept, or has been given up."""
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


class TaskSource(Protocol):
    """Tells tasks by their ids."""

    async def tasks_after(self, project: str, task: int, count: int) -> list[Task]:
        """The `count` tasks of a project that come after a task, in the order of their ids.

        Raises:
            SamserveError: they cannot be had.
        """
        ...

    async def tasks(self, project: str, ids: Sequence[str]) -> list[Task]:
        """Those of a project's tasks that there are.

        Raises:
            SamserveError: they cannot be had.
        """
        ...
