"""When a crop is looked at, how often it is encoded, and what happens when it cannot be had."""

import asyncio
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import numpy as np
import pytest

from server.cache.memory import MemoryCache
from server.core.context import Gesture
from server.core.crop import Crop
from server.core.embedding import EmbeddingKey, Image, ImageEmbedding
from server.core.geometry import Box, ImageSize, Point
from server.core.labelconfig import ControlTag
from server.core.options import AnswerOptions
from server.core.prediction import MaskPrediction
from server.core.prompt import Prompt
from server.core.reference import ImageReference
from server.errors import ImageUnavailable
from server.service.embedder import Embedder
from server.service.identities import Identities
from server.service.magnifier import Magnifier
from server.service.refiner import Refiner
from server.service.segmenter import Segmenter

T = TypeVar("T")
LARGE, SMALL = ImageSize(1500, 2400), ImageSize(1000, 2000)
CAT = ImageReference("cat", "1")
AT_THE_CAT = Point(1210, 605)
BITMASK = ControlTag("Bitmask", "bitmask", ("image",), ())


class FakeModel:
    """Its mask is a square of `half` * 2 px of the whole image around the first click, on every crop of it too."""

    def __init__(self) -> None:
        self.encoded: list[tuple[int, int]] = []
        self.decoded: list[tuple[ImageSize, Prompt]] = []
        self.half = 40

    def key(self, image_sha256: str) -> EmbeddingKey:
        return EmbeddingKey(image_sha256, "encoder", "preprocessing")

    def encode(self, image: Image) -> ImageEmbedding:
        self.encoded.append(image.shape[:2])
        return ImageEmbedding(ImageSize(*image.shape[:2]), {"corner": image[0, 0].copy()})

    def decode(self, embedding: ImageEmbedding, prompt: Prompt) -> MaskPrediction:
        self.decoded.append((embedding.size, prompt))
        mask = np.zeros((prompt.frame.height, prompt.frame.width), np.bool_)
        half = self.half * prompt.frame.width / embedding.size.width
        x, y = (prompt.points[0].x, prompt.points[0].y) if prompt.points else (0, 0)
        mask[max(0, int(y - half)) : int(y + half), max(0, int(x - half)) : int(x + half)] = True
        return MaskPrediction(mask, 0.9, np.zeros((256, 256), np.float32))


class FakeImages:
    """One image, which may go down."""

    down = False

    def locate(self, reference: ImageReference) -> str:
        return reference.value

    async def fetch(self, uri: str) -> bytes:
        if self.down:
            raise ImageUnavailable("the site is down")
        return uri.encode()


class Desk:
    def __init__(self, thread: ThreadPoolExecutor, size: ImageSize = LARGE) -> None:
        self.model, self.images, self.size = FakeModel(), FakeImages(), size
        identities = Identities(300.0, lambda: 0.0)
        cache = MemoryCache(1 << 20)
        self.embedder = Embedder(self.model, cache, self.images, self.decode_image, identities, thread)
        self.magnifier = Magnifier(self.embedder, self.model, thread)
        self.segmenter = Segmenter(self.embedder, self.magnifier, Refiner(self.model, lambda: 0.0), thread, 8)

    def decode_image(self, content: bytes) -> Image:
        """Each pixel tells its place, in steps of 10 px."""
        rows, columns = np.mgrid[: self.size.height, : self.size.width] // 10
        return np.stack([rows, columns, 0 * rows], axis=2).astype(np.uint8)

    async def crop(self, prompt: Prompt) -> Crop | None:
        reference, embedding = await self.magnifier.closer(CAT, await self.embedder.embed(CAT), prompt)
        if reference.crop:
            assert embedding.tensors["corner"].tolist() == [reference.crop.top // 10, reference.crop.left // 10, 0]
        return reference.crop

    async def segment(self, *prompts: Prompt, options: AnswerOptions | None = None) -> int:
        gestures = [Gesture(prompt, "image", "tool") for prompt in prompts]
        return len(await self.segmenter.segment(CAT, gestures, BITMASK, options or AnswerOptions(output="bitmask")))


def run(work: Coroutine[Any, Any, T]) -> T:
    async def bounded() -> T:
        return await asyncio.wait_for(work, 20)

    return asyncio.run(bounded())


@pytest.fixture
def thread() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as executor:
        yield executor


def test_a_small_box_is_looked_at_in_a_crop_around_it(thread: ThreadPoolExecutor) -> None:
    crop = run(Desk(thread).crop(Prompt(LARGE, box=Box(1200, 600, 1260, 640))))
    assert crop == Crop(960, 384, ImageSize(512, 512), LARGE)


def test_a_small_box_is_found_in_any_frame(thread: ThreadPoolExecutor) -> None:
    crop = run(Desk(thread).crop(Prompt(ImageSize(2400, 1500), box=Box(750, 960, 787.5, 1024))))
    assert crop == Crop(960, 384, ImageSize(512, 512), LARGE)


def test_the_first_mask_tells_how_small_a_clicked_object_is(thread: ThreadPoolExecutor) -> None:
    desk = Desk(thread)
    assert run(desk.crop(Prompt(LARGE, (AT_THE_CAT,)))) == Crop(960, 320, ImageSize(512, 512), LARGE)
    desk.model.half = 400
    assert run(desk.crop(Prompt(LARGE, (AT_THE_CAT,)))) is None


def test_an_image_that_is_not_large_is_not_even_glanced_at(thread: ThreadPoolExecutor) -> None:
    desk = Desk(thread, SMALL)
    assert run(desk.crop(Prompt(SMALL, (AT_THE_CAT,)))) is None
    assert desk.model.decoded == []


def test_all_clicks_on_an_object_share_one_crop_that_is_encoded_once(thread: ThreadPoolExecutor) -> None:
    async def scenario() -> None:
        desk = Desk(thread)
        clicks = (AT_THE_CAT, Point(1230, 620), Point(1300, 700, positive=False))
        for count in (1, 2, 3):
            assert await desk.segment(Prompt(LARGE, clicks[:count])) == 1
        assert desk.model.encoded == [(1500, 2400), (512, 512)]

    run(scenario())


def test_added_clicks_go_on_from_the_mask_that_was_found_on_the_crop(thread: ThreadPoolExecutor) -> None:
    async def scenario() -> None:
        desk = Desk(thread)
        await desk.segment(Prompt(LARGE, (AT_THE_CAT,)))
        await desk.segment(Prompt(LARGE, (AT_THE_CAT, Point(1230, 620))))
        (_, first), (_, second) = [(size, prompt) for size, prompt in desk.model.decoded if size.longest == 512]
        assert first.previous is None
        assert second.previous is not None
        assert second.points == (Point(250, 285), Point(270, 300))

    run(scenario())


def test_a_positive_click_outside_the_crop_widens_it(thread: ThreadPoolExecutor) -> None:
    desk = Desk(thread)
    crop = run(desk.crop(Prompt(LARGE, (AT_THE_CAT, Point(1600, 605)))))
    assert crop
    assert crop.size == ImageSize(1024, 1024)
    assert run(desk.crop(Prompt(LARGE, (AT_THE_CAT, Point(20, 605))))) is None


def test_a_negative_click_far_away_changes_nothing(thread: ThreadPoolExecutor) -> None:
    desk = Desk(thread)
    alone = run(desk.crop(Prompt(LARGE, (AT_THE_CAT,))))
    assert run(desk.crop(Prompt(LARGE, (AT_THE_CAT, Point(20, 20, positive=False))))) == alone


@pytest.mark.parametrize("crop", ["auto", "off"])
def test_crops_can_be_switched_off(thread: ThreadPoolExecutor, crop: str) -> None:
    desk = Desk(thread)
    run(desk.segment(Prompt(LARGE, (AT_THE_CAT,)), options=AnswerOptions(output="bitmask", crop=crop)))
    assert len(desk.model.encoded) == (2 if crop == "auto" else 1)


def test_several_regions_at_once_do_not_wait_for_a_crop_each(thread: ThreadPoolExecutor) -> None:
    desk = Desk(thread)
    assert run(desk.segment(*(Prompt(LARGE, (Point(x, 605),)) for x in (300, 1210)))) == 2
    assert len(desk.model.encoded) == 1


def test_when_the_crop_cannot_be_had_the_whole_image_answers(thread: ThreadPoolExecutor) -> None:
    async def scenario() -> None:
        desk = Desk(thread)
        await desk.embedder.embed(CAT)
        desk.images.down = True
        assert await desk.segment(Prompt(LARGE, (AT_THE_CAT,))) == 1

    run(scenario())


def test_when_the_image_was_replaced_meanwhile_the_whole_image_answers(thread: ThreadPoolExecutor) -> None:
    async def scenario() -> None:
        desk = Desk(thread)
        await desk.embedder.embed(CAT)
        desk.size = SMALL
        assert await desk.segment(Prompt(LARGE, (AT_THE_CAT,))) == 1

    run(scenario())
