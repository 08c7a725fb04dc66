"""Which files are at hand, so that an embedding of an image, or of a part of it, needs no download."""

from concurrent.futures import Executor

import pytest

from server.cache.memory import MemoryCache
from server.core.reference import ImageReference
from server.service.demand import Priority
from tests.unit.stand_ins import FakeImages
from tests.unit.tiny_images import CAT, COW, DOG, FRESH_SECONDS, HEN, Desk
from tests.waiting import run


@pytest.fixture
def desk(encoder: Executor) -> Desk:
    """It keeps no embeddings, and files of 8 bytes: two of these four, or "long" alone; "huge" is too large."""
    return Desk(encoder, FakeImages(a=CAT, b=DOG, c=COW, d=HEN, long=CAT + DOG, huge=CAT + DOG + COW), MemoryCache(0))


async def downloads(desk: Desk, *names: str) -> list[str]:
    """The names of the images that were downloaded while all of these were embedded, one after another."""
    desk.images.fetched.clear()
    for name in names:
        assert await desk.embed(name) == desk.images.pages[f"web:{name}"]
    return [uri.removeprefix("web:") for uri in desk.images.fetched]


def test_a_file_is_at_hand_while_its_image_is_taken_to_be_unchanged(desk: Desk) -> None:
    async def scenario() -> None:
        assert await downloads(desk, "a", "a", "a") == ["a"]
        desk.clock.now += FRESH_SECONDS
        desk.images.pages["web:a"] = DOG
        assert await downloads(desk, "a", "a") == ["a"]

    run(scenario())


def test_files_are_bounded_in_bytes_and_the_least_recently_used_goes_first(desk: Desk) -> None:
    async def scenario() -> None:
        assert await downloads(desk, "a", "b", "a", "c") == ["a", "b", "c"]
        assert await downloads(desk, "a", "c", "b") == ["b"]
        assert await downloads(desk, "long", "long", "b", "c") == ["long", "b", "c"]

    run(scenario())


def test_a_file_larger_than_all_room_takes_none(desk: Desk) -> None:
    async def scenario() -> None:
        assert await downloads(desk, "a", "huge", "huge", "a") == ["a", "huge", "huge"]

    run(scenario())


def test_what_a_crawl_downloads_pushes_no_file_out(desk: Desk) -> None:
    async def scenario() -> None:
        await downloads(desk, "a", "b")
        for name in ("c", "d"):
            assert await desk.embedder.keep(ImageReference(name, "1"), Priority.CRAWL)
        assert await downloads(desk, "a", "b") == []

    run(scenario())
