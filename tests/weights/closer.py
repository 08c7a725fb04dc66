"""A large picture, clicked with and without crops, by the code that serves clicks."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from server.cache.memory import MemoryCache
from server.core.context import Gesture
from server.core.embedding import Image
from server.core.geometry import Box, ImageSize, Point
from server.core.prediction import Mask
from server.core.prompt import Carving, Prompt
from server.core.reference import ImageReference
from server.runtime.model import SamModel
from server.service.demand import Priority
from server.service.embedder import Embedder
from server.service.encode_queue import EncodeQueue
from server.service.identities import Identities
from server.service.image_files import ImageFiles
from server.service.magnifier import Magnifier
from server.service.refiner import Refined, Refiner
from tests.weights.robot import Click, Object


class OnePicture:
    """An image source whose only image needs no decoding."""

    def locate(self, reference: ImageReference) -> str:
        return reference.value

    async def fetch(self, uri: str) -> bytes:
        return uri.encode()


class Desk:
    """One picture and all that answers what is drawn on it."""

    def __init__(self, model: SamModel, pixels: Image, name: str) -> None:
        self.size, self._reference = ImageSize(*pixels.shape[:2]), ImageReference(name, "1")
        thread = ThreadPoolExecutor(1)
        files = ImageFiles(OnePicture(), Identities(1e9, lambda: 0.0), 0)
        self._embedder = Embedder(model, MemoryCache(256 << 20), files, lambda _: pixels, EncodeQueue(thread, 8))
        self._refiner = Refiner(model, lambda: 0.0)
        self._magnifier = Magnifier(self._embedder, self._refiner, model, thread)

    def ask(self, prompt: Prompt | Carving, crop: bool = True) -> Refined | None:
        """The answer to what was drawn; None when there is nothing to carve."""
        return asyncio.run(self._answer(prompt, crop))

    def box(self, thing: Object, crop: bool) -> Mask:
        """The mask for the object's box."""
        return self._mask(Prompt(self.size, box=Box(*thing.bbox)), crop)

    def clicks(self, crop: bool) -> Callable[[Sequence[Click]], Mask]:
        """Answers clicks that are added one at a time, each time with all of them."""
        return lambda clicks: self._mask(Prompt(self.size, tuple(Point(*click) for click in clicks)), crop)

    def _mask(self, prompt: Prompt, crop: bool) -> Mask:
        refined = self.ask(prompt, crop)
        assert refined
        return refined.prediction.mask

    async def _answer(self, prompt: Prompt | Carving, crop: bool) -> Refined | None:
        look, gesture = await self._embedder.look(self._reference, Priority.CLICK), Gesture(prompt, "image", "tool")
        return self._refiner.decode(await self._magnifier.closer(look, gesture, "auto" if crop else "off"), gesture)
