import asyncio
import threading
from concurrent.futures import Executor

import pytest

from server.cache.memory import MemoryCache
from server.core.crop import Crop
from server.core.embedding import EmbeddingKey, ImageEmbedding
from server.core.geometry import ImageSize
from server.core.reference import ImageReference
from server.errors import ImageError, ImageRefused, ImageUnavailable, ImageUnreadable
from server.service.demand import Priority
from server.service.identities import Identities
from tests.unit.stand_ins import Clock, FakeImages
from tests.unit.tiny_images import CAT, COW, DOG, FRESH_SECONDS, HEN, Desk
from tests.waiting import run, until


class TattlingCache(MemoryCache):
    """Sets `go` at its second look-up, which is when a second flight has missed the cache."""

    def __init__(self, go: threading.Event) -> None:
        super().__init__(1 << 20)
        self.go, self.looks = go, 0

    def get(self, key: EmbeddingKey) -> ImageEmbedding | None:
        self.looks += 1
        if self.looks == 2:
            self.go.set()
        return super().get(key)


class PutAway(MemoryCache):
    """Keeps, of what is put away, the pixels."""

    def __init__(self, max_bytes: int) -> None:
        super().__init__(max_bytes)
        self.pixels: list[bytes] = []

    def put_away(self, key: EmbeddingKey, embedding: ImageEmbedding) -> None:
        self.pixels.append(embedding.tensors["pixels"].tobytes())


def test_an_embedding_is_of_the_image_that_the_task_names(encoder: Executor) -> None:
    async def scenario() -> None:
        desk = Desk(encoder, FakeImages(a=CAT, b=DOG + DOG))
        assert await desk.embed("a") == CAT
        embedding = await desk.embedder.embed(ImageReference("b", "2"), Priority.CLICK)
        assert (embedding.size, embedding.tensors["pixels"].tobytes()) == (ImageSize(1, 2), DOG + DOG)
        assert desk.images.fetched == ["web:a", "web:b"]

    run(scenario())


def test_many_who_wait_for_one_image_share_one_fetch_and_one_encode(encoder: Executor) -> None:
    async def scenario() -> None:
        desk = Desk(encoder, FakeImages(a=CAT))
        desk.images.go.clear()
        waiters = [asyncio.create_task(desk.embed()) for _ in range(20)]
        await desk.images.started.wait()
        desk.images.go.set()
        assert await asyncio.gather(*waiters) == [CAT] * 20
        assert (desk.images.fetched, desk.model.encoded) == (["web:a"], [CAT])

    run(scenario())


def test_a_click_on_a_known_image_touches_neither_network_nor_encoder(encoder: Executor) -> None:
    async def scenario() -> None:
        desk = Desk(encoder, FakeImages(a=CAT))
        first = await desk.embedder.embed(ImageReference("a", "1"), Priority.CLICK)
        desk.clock.now += FRESH_SECONDS - 1
        assert await desk.embedder.embed(ImageReference("a", "2"), Priority.CLICK) is first
        assert (desk.images.fetched, desk.model.encoded) == (["web:a"], [CAT])

    run(scenario())


def test_the_same_content_under_two_uris_is_encoded_once(encoder: Executor) -> None:
    async def scenario() -> None:
        desk = Desk(encoder, FakeImages(a=CAT, b=CAT))
        assert [await desk.embed("a"), await desk.embed("b")] == [CAT, CAT]
        assert (desk.images.fetched, desk.model.encoded) == (["web:a", "web:b"], [CAT])

    run(scenario())


def test_the_same_content_asked_for_under_two_uris_at_once_is_encoded_once(encoder: Executor) -> None:
    async def scenario() -> None:
        go = threading.Event()
        desk = Desk(encoder, FakeImages(a=CAT, b=CAT), TattlingCache(go))
        desk.model.go = go
        waiters = [asyncio.create_task(desk.embed(name)) for name in "ab"]
        assert await asyncio.gather(*waiters) == [CAT, CAT]
        assert (desk.images.fetched, desk.model.encoded) == (["web:a", "web:b"], [CAT])

    run(scenario())


def test_a_replaced_image_gets_a_new_embedding_once_its_identity_is_stale(encoder: Executor) -> None:
    async def scenario() -> None:
        desk = Desk(encoder, FakeImages(a=CAT))
        assert await desk.embed() == CAT
        desk.images.pages["web:a"] = DOG
        assert await desk.embed() == CAT
        desk.clock.now += FRESH_SECONDS
        assert await desk.embed() == DOG
        assert await desk.embed() == DOG
        assert (len(desk.images.fetched), desk.model.encoded) == (2, [CAT, DOG])

    run(scenario())


def test_a_look_at_an_image_has_the_same_key_until_the_image_is_replaced(encoder: Executor) -> None:
    async def scenario() -> None:
        desk, keys = Desk(encoder, FakeImages(a=CAT), MemoryCache(0)), []
        for page in (CAT, CAT, DOG):
            desk.images.pages["web:a"] = page
            desk.clock.now += FRESH_SECONDS
            look = await desk.embedder.look(ImageReference("a", "1"), Priority.CLICK)
            assert look.whole.tensors["pixels"].tobytes() == page
            keys.append(look.key)
        assert keys[0] == keys[1] != keys[2]

    run(scenario())


def test_an_unchanged_image_is_fetched_again_but_not_encoded_again(encoder: Executor) -> None:
    async def scenario() -> None:
        desk = Desk(encoder, FakeImages(a=CAT))
        await desk.embed()
        desk.clock.now += FRESH_SECONDS
        assert [await desk.embed(), await desk.embed()] == [CAT, CAT]
        assert (len(desk.images.fetched), desk.model.encoded) == (2, [CAT])

    run(scenario())


def test_a_forgotten_embedding_is_made_again(encoder: Executor) -> None:
    async def scenario() -> None:
        desk = Desk(encoder, FakeImages(a=CAT, b=DOG), MemoryCache(3))
        assert [await desk.embed(name) for name in "aba"] == [CAT, DOG, CAT]
        assert desk.model.encoded == [CAT, DOG, CAT]

    run(scenario())


def test_an_image_that_cannot_be_fetched_again_is_served_as_it_was(encoder: Executor) -> None:
    async def scenario() -> None:
        desk = Desk(encoder, FakeImages(a=CAT))
        await desk.embed()
        desk.clock.now += FRESH_SECONDS
        desk.images.pages["web:a"] = ImageUnavailable("the site is down")
        assert await desk.embed() == CAT
        desk.images.pages["web:a"] = DOG
        desk.clock.now += FRESH_SECONDS
        assert await desk.embed() == DOG

    run(scenario())


def test_an_image_that_cannot_be_fetched_again_and_was_forgotten_is_unavailable(encoder: Executor) -> None:
    async def scenario() -> None:
        desk = Desk(encoder, FakeImages(a=CAT, b=DOG), MemoryCache(3))
        await desk.embed("a")
        await desk.embed("b")
        desk.images.pages["web:a"] = ImageUnavailable("the site is down")
        desk.clock.now += FRESH_SECONDS
        with pytest.raises(ImageUnavailable, match="the site is down"):
            await desk.embed("a")

    run(scenario())


def test_an_image_that_is_refused_now_is_not_served_from_memory(encoder: Executor) -> None:
    async def scenario() -> None:
        desk = Desk(encoder, FakeImages(a=CAT))
        await desk.embed()
        desk.clock.now += FRESH_SECONDS
        desk.images.pages["web:a"] = ImageRefused("a private address")
        with pytest.raises(ImageRefused, match="a private address"):
            await desk.embed()

    run(scenario())


def test_a_reference_that_no_rule_fetches_is_refused_before_any_fetch(encoder: Executor) -> None:
    async def scenario() -> None:
        desk = Desk(encoder, FakeImages())
        with pytest.raises(ImageRefused, match="no rule"):
            await desk.embed("forbidden")
        assert desk.images.fetched == []

    run(scenario())


@pytest.mark.parametrize(
    ("page", "error"), [(ImageUnavailable("down"), ImageUnavailable), (b"half", ImageUnreadable)], ids=str
)
def test_an_error_reaches_every_waiter_and_the_next_call_works(
    encoder: Executor, page: bytes | ImageError, error: type[ImageError]
) -> None:
    async def scenario() -> None:
        desk = Desk(encoder, FakeImages(a=page))
        waiters = [asyncio.create_task(desk.embed()) for _ in range(5)]
        errors = await asyncio.gather(*waiters, return_exceptions=True)
        assert [type(each) for each in errors] == [error] * 5
        assert desk.images.fetched == ["web:a"]
        desk.images.pages["web:a"] = CAT
        assert await desk.embed() == CAT

    run(scenario())


def test_a_caller_that_gives_up_does_not_take_the_others_along(encoder: Executor) -> None:
    async def scenario() -> None:
        desk = Desk(encoder, FakeImages(a=CAT))
        desk.images.go.clear()
        first, second = (asyncio.create_task(desk.embed()) for _ in range(2))
        await desk.images.started.wait()
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        desk.images.go.set()
        assert await second == CAT
        assert (desk.images.fetched, desk.model.encoded) == (["web:a"], [CAT])

    run(scenario())


def test_the_least_recently_used_identity_is_forgotten_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.service.identities._CAPACITY", 2)
    identities = Identities(FRESH_SECONDS, Clock())
    identities.put("a", "1")
    identities.put("b", "2")
    assert identities.get("a") is not None
    identities.put("c", "3")
    assert [identity.sha256 if (identity := identities.get(uri)) else None for uri in "abc"] == ["1", None, "3"]


def test_clicks_do_not_each_wait_for_an_image_that_cannot_be_fetched_again(encoder: Executor) -> None:
    async def scenario() -> None:
        desk = Desk(encoder, FakeImages(a=CAT))
        await desk.embed()
        desk.clock.now += FRESH_SECONDS
        desk.images.pages["web:a"] = ImageUnavailable("the site is down")
        assert [await desk.embed() for _ in range(3)] == [CAT] * 3
        assert len(desk.images.fetched) == 2

    run(scenario())


def test_a_click_lifts_the_precompute_of_its_image_and_nothing_is_encoded_twice(encoder: Executor) -> None:
    async def scenario() -> None:
        desk = Desk(encoder, FakeImages(a=CAT, b=DOG, c=COW, d=HEN))
        desk.model.go.clear()
        running = asyncio.create_task(desk.embed("a", Priority.CRAWL))
        await desk.queued(0)
        crawled = [asyncio.create_task(desk.embed(name, Priority.CRAWL)) for name in "bcd"]
        await desk.queued(3)
        click = asyncio.create_task(desk.embed("d", Priority.CLICK))
        await asyncio.sleep(0)
        desk.model.go.set()
        assert await click == HEN
        assert await asyncio.gather(running, *crawled) == [CAT, DOG, COW, HEN]
        assert desk.model.encoded == [CAT, HEN, DOG, COW]

    run(scenario())


def test_a_click_lifts_the_same_content_that_is_queued_under_another_uri(encoder: Executor) -> None:
    async def scenario() -> None:
        desk = Desk(encoder, FakeImages(a=CAT, b=DOG, c=COW, d=COW))
        desk.model.go.clear()
        crawled = [asyncio.create_task(desk.embed(name, Priority.CRAWL)) for name in "abc"]
        await desk.queued(2)
        click = asyncio.create_task(desk.embed("d", Priority.CLICK))
        await until(lambda: desk.queue.depth == {Priority.CRAWL: 1, Priority.CLICK: 1})
        desk.model.go.set()
        await asyncio.gather(click, *crawled)
        assert desk.model.encoded == [CAT, COW, DOG]

    run(scenario())


def test_an_image_that_only_clicks_wanted_is_not_encoded_once_they_are_gone(encoder: Executor) -> None:
    async def scenario() -> None:
        desk = Desk(encoder, FakeImages(a=CAT, b=DOG, c=COW))
        desk.model.go.clear()
        first, gone = asyncio.create_task(desk.embed("a")), asyncio.create_task(desk.embed("b"))
        opened = asyncio.create_task(desk.embed("c", Priority.OPENED))
        await desk.queued(2)
        gone.cancel()
        with pytest.raises(asyncio.CancelledError):
            await gone
        desk.model.go.set()
        await asyncio.gather(first, opened)
        assert desk.model.encoded == [CAT, COW]
        assert await desk.embed("b") == DOG

    run(scenario())


def test_what_is_kept_is_known_without_touching_network_or_encoder(encoder: Executor) -> None:
    async def scenario() -> None:
        desk = Desk(encoder, FakeImages(a=CAT))
        reference = ImageReference("a", "1")
        assert not await desk.embedder.is_kept(reference)
        assert desk.images.fetched == []
        await desk.embed()
        assert await desk.embedder.is_kept(reference)

    run(scenario())


def test_closing_gives_up_what_is_fetched_and_what_is_queued(encoder: Executor) -> None:
    async def scenario() -> None:
        desk = Desk(encoder, FakeImages(a=CAT, b=DOG, c=COW))
        desk.model.go.clear()
        waiting = [asyncio.create_task(desk.embed(name)) for name in "ab"]
        await desk.queued(1)
        desk.images.go.clear()
        waiting.append(asyncio.create_task(desk.embed("c")))
        await asyncio.sleep(0)
        await desk.embedder.close()
        desk.model.go.set()
        errors = await asyncio.gather(*waiting, return_exceptions=True)
        assert [type(error) for error in errors] == [asyncio.CancelledError] * 3

    run(scenario())


def test_keeping_what_is_kept_encodes_and_reads_nothing_and_one_that_is_gone_is_encoded(encoder: Executor) -> None:
    async def scenario() -> None:
        desk = Desk(encoder, FakeImages(a=CAT, copy=CAT))
        assert await desk.embedder.keep(ImageReference("a", "1"), Priority.CRAWL)
        assert not await desk.embedder.keep(ImageReference("a", "1"), Priority.CRAWL)
        assert desk.images.fetched == ["web:a"]
        assert not await desk.embedder.keep(ImageReference("copy", "2"), Priority.CRAWL)
        assert (desk.cache.hits, desk.cache.misses) == (0, 0)
        desk.clock.now += FRESH_SECONDS
        desk.images.pages["web:a"] = DOG
        assert await desk.embedder.keep(ImageReference("a", "1"), Priority.CRAWL)
        assert desk.model.encoded == [CAT, DOG]

    run(scenario())


def test_only_what_nobody_but_a_crawl_wants_is_put_away(encoder: Executor) -> None:
    async def scenario() -> None:
        put_away = PutAway(1 << 20)
        desk = Desk(encoder, FakeImages(a=CAT, b=DOG, c=COW), put_away)
        desk.model.go.clear()
        crawl = [asyncio.create_task(desk.embedder.keep(ImageReference(name, "1"), Priority.CRAWL)) for name in "ab"]
        await desk.queued(1)
        wanted = [asyncio.create_task(desk.embed("b", Priority.LOOK_AHEAD)), asyncio.create_task(desk.embed("c"))]
        await until(lambda: desk.queue.depth == {Priority.LOOK_AHEAD: 1, Priority.CLICK: 1})
        desk.model.go.set()
        await asyncio.gather(*crawl, *wanted)
        assert desk.model.encoded == [CAT, COW, DOG]
        assert put_away.pixels == [CAT]

    run(scenario())


def test_a_click_on_what_a_crawl_has_queued_lifts_it_and_encodes_nothing_twice(encoder: Executor) -> None:
    async def scenario() -> None:
        desk = Desk(encoder, FakeImages(a=CAT, b=DOG, c=COW))
        desk.model.go.clear()
        crawl = [
            asyncio.create_task(desk.embedder.keep(ImageReference(name, "1"), Priority.CRAWL)) for name in ("a", "b")
        ]
        await desk.queued(1)
        crawl.append(asyncio.create_task(desk.embedder.keep(ImageReference("c", "1"), Priority.CRAWL)))
        await desk.queued(2)
        click = asyncio.create_task(desk.embed("c"))
        await until(lambda: desk.queue.depth == {Priority.CLICK: 1, Priority.CRAWL: 1})
        desk.model.go.set()
        assert await click == COW
        assert await asyncio.gather(*crawl) == [True, True, True]
        assert sorted(desk.model.encoded) == sorted([CAT, DOG, COW])
        assert desk.model.encoded[1] == COW

    run(scenario())


def test_a_click_on_what_a_crawl_is_downloading_downloads_it_no_second_time(encoder: Executor) -> None:
    async def scenario() -> None:
        desk = Desk(encoder, FakeImages(a=CAT))
        desk.images.go.clear()
        crawl = asyncio.create_task(desk.embedder.keep(ImageReference("a", "1"), Priority.CRAWL))
        await desk.images.started.wait()
        click = asyncio.create_task(desk.embed("a"))
        await asyncio.sleep(0)
        desk.images.go.set()
        assert await crawl
        assert await click == CAT
        assert (desk.images.fetched, desk.model.encoded) == (["web:a"], [CAT])

    run(scenario())


def test_an_image_and_a_crop_of_it_are_two_embeddings_each_made_once(encoder: Executor) -> None:
    async def scenario() -> None:
        desk = Desk(encoder, FakeImages(a=CAT + DOG))
        part = ImageReference("a", "1", crop=Crop(1, 0, ImageSize(1, 1), ImageSize(1, 2)))
        whole = ImageReference("a", "1")
        together = await asyncio.gather(*(desk.embedder.embed(each, Priority.CLICK) for each in (whole, part, part)))
        again = [await desk.embedder.embed(each, Priority.CLICK) for each in (whole, part)]
        pixels = [embedding.tensors["pixels"].tobytes() for embedding in (*together, *again)]
        assert pixels == [CAT + DOG, DOG, DOG, CAT + DOG, DOG]
        assert sorted(desk.model.encoded) == [CAT + DOG, DOG]

    run(scenario())


def test_an_image_that_is_made_ready_is_embedded_and_prepared_for_the_first_click(encoder: Executor) -> None:
    async def scenario() -> None:
        desk = Desk(encoder, FakeImages(a=CAT))
        await desk.embedder.make_ready(ImageReference("a", "1"), Priority.OPENED)
        (prepared,) = desk.model.prepared
        assert prepared is await desk.embedder.embed(ImageReference("a", "1"), Priority.CLICK)
        assert desk.model.encoded == [CAT]

    run(scenario())
