"""A large image, and all that looks at it, on a model that finds squares."""

import numpy as np

from server.cache.memory import MemoryCache
from server.core.context import Gesture
from server.core.crop import Crop
from server.core.embedding import Image, ImageEmbedding
from server.core.geometry import ImageSize, Point
from server.core.labelconfig import ControlTag
from server.core.options import AnswerOptions
from server.core.prediction import MaskPrediction
from server.core.prompt import Carving, Choice, Prompt
from server.core.reference import ImageReference
from server.models.family import Tensors
from server.service.demand import Priority
from server.service.embedder import Embedder
from server.service.encode_queue import EncodeQueue
from server.service.identities import Identities
from server.service.image_files import ImageFiles
from server.service.magnifier import Magnifier
from server.service.refiner import Refiner
from server.service.segmenter import Segmenter
from tests.unit.conftest import Threads
from tests.unit.stand_ins import FakeImages, FakeModel

LARGE, SMALL = ImageSize(1500, 2400), ImageSize(1000, 2000)
CAT = ImageReference("cat", "1")
AT_THE_CAT = Point(1210, 605)
BITMASK = ControlTag("Bitmask", "bitmask", ("image",), ())


class SquareModel(FakeModel):
    """Its mask is a square of `half` * 2 px of the whole image around the first click, on every crop of it too.

    Logits tell how many prompts were decoded before, embeddings the image's first pixel.
    """

    def __init__(self) -> None:
        super().__init__()
        self.decoded: list[tuple[ImageSize, Prompt]] = []
        self.half = 40

    @property
    def on_crops(self) -> list[Prompt]:
        """The prompts decoded on crops of the usual size."""
        return [prompt for size, prompt in self.decoded if size.longest == 512]

    @property
    def encoded(self) -> list[tuple[int, ...]]:
        """(height, width) of each image."""
        return [image.shape[:2] for image in self.images]

    def tensors(self, image: Image) -> Tensors:
        return {"corner": image[0, 0].copy()}

    def decode(self, embedding: ImageEmbedding, prompt: Prompt) -> MaskPrediction:
        logits = np.full((256, 256), len(self.decoded), np.float32)
        self.decoded.append((embedding.size, prompt))
        mask = np.zeros((prompt.frame.height, prompt.frame.width), np.bool_)
        half = self.half * prompt.frame.width / embedding.size.width
        x, y = (prompt.points[0].x, prompt.points[0].y) if prompt.points else (0, 0)
        mask[max(0, int(y - half)) : int(y + half), max(0, int(x - half)) : int(x + half)] = True
        return MaskPrediction(mask, 0.9, logits)


class Desk:
    def __init__(
        self, threads: Threads, size: ImageSize = LARGE, cache_bytes: int = 1 << 20, file_bytes: int = 1 << 20
    ) -> None:
        self.model, self.images, self.size = SquareModel(), FakeImages(), size
        files = ImageFiles(self.images, Identities(300.0, lambda: 0.0), file_bytes)
        self.queue = EncodeQueue(threads[0], 8)
        cache, self.refiner = MemoryCache(cache_bytes), Refiner(self.model, lambda: 0.0)
        self.embedder = Embedder(self.model, cache, files, self.decode_image, self.queue)
        self.magnifier = Magnifier(self.embedder, self.refiner, self.model, threads[1])
        self.segmenter = Segmenter(self.embedder, self.magnifier, self.refiner, threads[1], 8)

    def decode_image(self, content: bytes) -> Image:
        """Each pixel tells its place, in steps of 10 px."""
        pixels = np.zeros((self.size.height, self.size.width, 3), np.uint8)
        pixels[..., 0], pixels[..., 1] = np.arange(self.size.height)[:, None] // 10, np.arange(self.size.width) // 10
        return pixels

    async def crop(self, prompt: Prompt) -> Crop | None:
        whole = await self.embedder.look(CAT, Priority.CLICK)
        look = await self.magnifier.closer(whole, Gesture(prompt, "image", "tool"), "auto")
        if look.crop:
            assert look.embedding.tensors["corner"].tolist() == [look.crop.top // 10, look.crop.left // 10, 0]
        return look.crop

    async def regions(
        self, *prompts: Prompt | Carving, crop: str = "auto", ids: str = "", choose: Choice = "best"
    ) -> list[str]:
        """The ids of the regions that answer these prompts."""
        gestures = [Gesture(prompt, "image", "tool", item_ids=frozenset(ids)) for prompt in prompts]
        options = AnswerOptions(output="bitmask", crop=crop, choose=choose)
        outcomes = await self.segmenter.segment(CAT, gestures, BITMASK, options)
        return [region.id for outcome in outcomes for region in outcome.regions]

    async def segment(self, *prompts: Prompt, crop: str = "auto", ids: str = "") -> int:
        return len(await self.regions(*prompts, crop=crop, ids=ids))
