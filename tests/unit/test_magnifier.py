"""When a crop is looked at, how often it is encoded, and what happens when it cannot be had."""

import asyncio

import pytest

from server.core.crop import Crop
from server.core.geometry import Box, ImageSize, Point
from server.core.prompt import Prompt
from server.core.reference import ImageReference
from server.service.demand import Priority
from tests.unit.conftest import Threads
from tests.unit.large_image import AT_THE_CAT, CAT, LARGE, SMALL, Desk
from tests.waiting import run, until


def test_a_small_box_is_looked_at_in_a_crop_around_it(threads: Threads) -> None:
    crop = run(Desk(threads).crop(Prompt(LARGE, box=Box(1200, 600, 1260, 640))))
    assert crop == Crop(960, 384, ImageSize(512, 512), LARGE)


def test_a_small_box_is_found_in_any_frame(threads: Threads) -> None:
    crop = run(Desk(threads).crop(Prompt(ImageSize(2400, 1500), box=Box(750, 960, 787.5, 1024))))
    assert crop == Crop(960, 384, ImageSize(512, 512), LARGE)


def test_the_first_mask_tells_how_small_a_clicked_object_is(threads: Threads) -> None:
    desk = Desk(threads)
    assert run(desk.crop(Prompt(LARGE, (AT_THE_CAT,)))) == Crop(960, 320, ImageSize(512, 512), LARGE)
    desk.model.half = 400
    assert run(desk.crop(Prompt(LARGE, (AT_THE_CAT,)))) is None


def test_an_image_that_is_not_large_is_not_even_glanced_at(threads: Threads) -> None:
    desk = Desk(threads, SMALL)
    assert run(desk.crop(Prompt(SMALL, (AT_THE_CAT,)))) is None
    assert desk.model.decoded == []


def test_all_clicks_on_an_object_share_one_crop_that_is_encoded_once(threads: Threads) -> None:
    async def scenario() -> None:
        desk = Desk(threads)
        clicks = (AT_THE_CAT, Point(1230, 620), Point(1300, 700, positive=False))
        for count in (1, 2, 3):
            assert await desk.segment(Prompt(LARGE, clicks[:count])) == 1
        assert desk.model.encoded == [(1500, 2400), (512, 512)]

    run(scenario())


def test_the_mask_of_the_size_that_is_chosen_is_glanced_at_and_then_found_in_the_crop(threads: Threads) -> None:
    desk = Desk(threads)
    run(desk.regions(Prompt(LARGE, (AT_THE_CAT,)), choose="smallest"))
    assert [prompt.choice for _, prompt in desk.model.decoded] == ["smallest", "smallest"]


def test_a_positive_click_outside_the_crop_widens_it(threads: Threads) -> None:
    desk = Desk(threads)
    crop = run(desk.crop(Prompt(LARGE, (AT_THE_CAT, Point(1600, 605)))))
    assert crop
    assert crop.size == ImageSize(1024, 1024)
    assert run(desk.crop(Prompt(LARGE, (AT_THE_CAT, Point(20, 605))))) is None


def test_a_negative_click_far_away_changes_nothing(threads: Threads) -> None:
    desk = Desk(threads)
    alone = run(desk.crop(Prompt(LARGE, (AT_THE_CAT,))))
    assert run(desk.crop(Prompt(LARGE, (AT_THE_CAT, Point(20, 20, positive=False))))) == alone


@pytest.mark.parametrize("crop", ["auto", "off"])
def test_crops_can_be_switched_off(threads: Threads, crop: str) -> None:
    desk = Desk(threads)
    run(desk.segment(Prompt(LARGE, (AT_THE_CAT,)), crop=crop))
    assert len(desk.model.encoded) == (2 if crop == "auto" else 1)


def test_several_regions_at_once_do_not_wait_for_a_crop_each(threads: Threads) -> None:
    desk = Desk(threads)
    assert run(desk.segment(*(Prompt(LARGE, (Point(x, 605),)) for x in (300, 1210)))) == 2
    assert len(desk.model.encoded) == 1


def test_when_the_crop_cannot_be_had_the_whole_image_answers(threads: Threads) -> None:
    async def scenario() -> None:
        desk = Desk(threads, file_bytes=0)
        await desk.embedder.embed(CAT, Priority.CLICK)
        desk.images.down = True
        assert await desk.segment(Prompt(LARGE, (AT_THE_CAT,))) == 1
        assert desk.model.on_crops == []

    run(scenario())


def test_crops_of_an_image_are_cut_out_of_the_file_that_was_fetched_for_it(threads: Threads) -> None:
    async def scenario() -> None:
        desk = Desk(threads)
        await desk.embedder.embed(CAT, Priority.CLICK)
        desk.images.down = True
        for click in (AT_THE_CAT, Point(300, 1200)):
            assert await desk.segment(Prompt(LARGE, (click,))) == 1
        assert len(desk.model.on_crops) == 2

    run(scenario())


def test_when_the_image_was_replaced_meanwhile_the_whole_image_answers(threads: Threads) -> None:
    async def scenario() -> None:
        desk = Desk(threads)
        await desk.embedder.embed(CAT, Priority.CLICK)
        desk.size = SMALL
        assert await desk.segment(Prompt(LARGE, (AT_THE_CAT,))) == 1

    run(scenario())


def test_a_crop_is_encoded_before_what_nobody_waits_for(threads: Threads) -> None:
    async def scenario() -> None:
        desk = Desk(threads)
        await desk.embedder.embed(CAT, Priority.CLICK)
        desk.model.started.clear()
        desk.model.go.clear()
        crawled = [asyncio.create_task(desk.embedder.embed(ImageReference(name, "2"), Priority.CRAWL)) for name in "ab"]
        await until(lambda: desk.model.started.is_set() and desk.queue.depth.total() == 1)
        click = asyncio.create_task(desk.segment(Prompt(LARGE, (AT_THE_CAT,))))
        await until(lambda: desk.queue.depth.total() == 2)
        desk.model.go.set()
        await asyncio.gather(click, *crawled)
        assert desk.model.encoded == [(1500, 2400), (1500, 2400), (512, 512), (1500, 2400)]

    run(scenario())


def test_of_clicks_that_add_up_while_their_crop_is_encoded_only_the_last_is_decoded_on_it(threads: Threads) -> None:
    async def scenario() -> None:
        desk = Desk(threads)
        await desk.embedder.embed(CAT, Priority.CLICK)
        desk.model.go.clear()
        clicks = (AT_THE_CAT, Point(1230, 620), Point(1300, 700, positive=False))
        asked = [
            asyncio.create_task(desk.segment(Prompt(LARGE, clicks[:count]), ids="abc"[:count])) for count in (1, 2, 3)
        ]
        await until(lambda: len(desk.model.decoded) == 3)
        desk.model.go.set()
        assert await asyncio.gather(*asked) == [0, 0, 1]
        assert [len(prompt.points) for prompt in desk.model.on_crops] == [3]
        assert desk.model.encoded == [(1500, 2400), (512, 512)]

    run(scenario())


def test_of_clicks_that_add_up_while_the_image_is_encoded_only_the_last_is_glanced_at(threads: Threads) -> None:
    async def scenario() -> None:
        desk = Desk(threads)
        desk.model.go.clear()
        asked = [asyncio.create_task(desk.segment(Prompt(LARGE, (AT_THE_CAT,)), ids=ids)) for ids in ("a", "ab", "abc")]
        await until(desk.model.started.is_set)
        desk.model.go.set()
        assert await asyncio.gather(*asked) == [0, 0, 1]
        assert len(desk.model.decoded) == 2

    run(scenario())
