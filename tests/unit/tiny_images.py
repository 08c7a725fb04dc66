"""An embedder and everything around it, for images of a pixel or a few: three bytes each, as they are in the file."""

from concurrent.futures import Executor

import numpy as np

from server.cache.memory import MemoryCache
from server.core.embedding import Image, ImageEmbedding
from server.core.reference import ImageReference
from server.errors import ImageUnreadable
from server.service.demand import Priority
from server.service.embedder import Embedder
from server.service.encode_queue import EncodeQueue
from server.service.identities import Identities
from server.service.image_files import ImageFiles
from tests.unit.stand_ins import Clock, FakeImages, FakeModel
from tests.waiting import until

FRESH_SECONDS = 300.0
CAT, DOG, COW, HEN = b"cat", b"dog", b"cow", b"hen"


class RecordingModel(FakeModel):
    """Tells what it encoded and prepared."""

    def __init__(self) -> None:
        super().__init__()
        self.prepared: list[ImageEmbedding] = []

    @property
    def encoded(self) -> list[bytes]:
        return [image.tobytes() for image in self.images]

    def prepare(self, embedding: ImageEmbedding) -> None:
        self.prepared.append(embedding)


def decode_image(content: bytes) -> Image:
    if len(content) % 3:
        raise ImageUnreadable("not a whole image")
    return np.frombuffer(content, np.uint8).reshape(1, -1, 3)


class Desk:
    """An embedder and everything around it."""

    def __init__(self, encoder: Executor, images: FakeImages, cache: MemoryCache | None = None) -> None:
        self.images, self.clock, self.model = images, Clock(), RecordingModel()
        self.cache = MemoryCache(1 << 20) if cache is None else cache
        files = ImageFiles(images, Identities(FRESH_SECONDS, self.clock), 8)
        self.queue = EncodeQueue(encoder, 8)
        self.embedder = Embedder(self.model, self.cache, files, decode_image, self.queue)

    async def embed(self, name: str = "a", priority: Priority = Priority.CLICK) -> bytes:
        """The pixels of the embedding of the image called `name`."""
        embedding = await self.embedder.embed(ImageReference(name, "1"), priority)
        return embedding.tensors["pixels"].tobytes()

    async def queued(self, count: int) -> None:
        """Returns once so many images wait behind the one that is encoded."""
        await until(lambda: self.model.started.is_set() and self.queue.depth.total() == count)
