"""Stand-ins for what the service asks for images, embeddings and the time; tests say the rest."""

import asyncio
import threading
from collections.abc import Callable

from server.core.embedding import EmbeddingKey, Image, ImageEmbedding
from server.core.geometry import ImageSize
from server.core.prediction import MaskPrediction
from server.core.prompt import Prompt
from server.core.reference import ImageReference
from server.errors import ImageError, ImageRefused, ImageUnavailable
from server.models.family import Tensors


class FakeModel:
    """An encode begins once `go` is set; keeps the images that were encoded."""

    def __init__(self) -> None:
        self.images: list[Image] = []
        self.started, self.go = threading.Event(), threading.Event()
        self.go.set()

    def key(self, image_sha256: str) -> EmbeddingKey:
        return EmbeddingKey(image_sha256, "encoder", "preprocessing")

    def encode(self, image: Image, is_urgent: Callable[[], bool] = lambda: True) -> ImageEmbedding:
        self.started.set()
        assert self.go.wait(10)
        self.images.append(image)
        return ImageEmbedding(ImageSize(*image.shape[:2]), self.tensors(image))

    def tensors(self, image: Image) -> Tensors:
        """What its embeddings hold."""
        return {"pixels": image.copy()}

    def prepare(self, embedding: ImageEmbedding) -> None:
        raise AssertionError("only opened tasks are prepared")

    def decode(self, embedding: ImageEmbedding, prompt: Prompt) -> MaskPrediction:
        raise AssertionError("no prompts are decoded here")


class FakeImages:
    """Pages by name, or else the name itself; one that is an error is raised. A fetch goes on once `go` is set."""

    def __init__(self, **pages: bytes | ImageError) -> None:
        self.pages = {f"web:{name}": page for name, page in pages.items()}
        self.fetched: list[str] = []
        self.started, self.go = asyncio.Event(), asyncio.Event()
        self.go.set()
        self.down = False

    def locate(self, reference: ImageReference) -> str:
        if reference.value == "forbidden":
            raise ImageRefused("no rule fetches that")
        return f"web:{reference.value}"

    async def fetch(self, uri: str) -> bytes:
        self.fetched.append(uri)
        self.started.set()
        await self.go.wait()
        name = uri.removeprefix("web:").encode()
        page = ImageUnavailable("the site is down") if self.down else self.pages.get(uri, name)
        if isinstance(page, ImageError):
            raise page
        return page


class Clock:
    """Tells `now`, in seconds."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now
