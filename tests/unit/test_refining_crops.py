"""What a mask that was found on a crop is gone on from, and where it is carved."""

import pytest

from server.core.context import Gesture
from server.core.geometry import Box, Point
from server.core.prompt import Carving, Prompt
from server.errors import ImageUnavailable
from server.service.demand import Priority
from tests.unit.conftest import Threads
from tests.unit.large_image import AT_THE_CAT, CAT, LARGE, Desk
from tests.waiting import run

ON_THE_CAT, ON_THE_TAIL = Point(1230, 620, positive=False), Point(1190, 590, positive=False)


def went_on_from(prompt: Prompt) -> int:
    assert prompt.previous is not None
    return int(prompt.previous[0, 0])


def test_added_clicks_go_on_from_the_mask_that_was_found_on_the_crop(threads: Threads) -> None:
    async def scenario() -> None:
        desk = Desk(threads)
        await desk.segment(Prompt(LARGE, (AT_THE_CAT,)))
        await desk.segment(Prompt(LARGE, (AT_THE_CAT, Point(1230, 620))))
        first, second = desk.model.on_crops
        assert first.previous is None
        assert went_on_from(second) == 1
        assert second.points == (Point(250, 285), Point(270, 300))

    run(scenario())


def test_a_negative_click_alone_is_carved_out_of_the_mask_on_the_crop_that_it_was_found_on(threads: Threads) -> None:
    async def scenario() -> None:
        desk = Desk(threads)
        region = await desk.regions(Prompt(LARGE, (AT_THE_CAT,)), ids="a")
        assert await desk.regions(Carving(LARGE, (ON_THE_CAT,)), ids="b") == region
        assert await desk.regions(Carving(LARGE, (ON_THE_TAIL,)), ids="c") == region
        found, carved, again = desk.model.on_crops
        assert carved.points == (*found.points, Point(270, 300, positive=False))
        assert again.points == (*carved.points, Point(230, 270, positive=False))
        assert (went_on_from(carved), went_on_from(again)) == (1, 2)
        assert len(desk.model.decoded) == 4  # the first glance, and one for each answer
        assert desk.model.encoded == [(1500, 2400), (512, 512)]

    run(scenario())


def test_the_box_that_made_a_mask_on_a_crop_is_carved_with_it(threads: Threads) -> None:
    async def scenario() -> None:
        desk = Desk(threads)
        desk.model.half = 400  # the mask is at the crop's corner
        region = await desk.regions(Prompt(LARGE, box=Box(1200, 600, 1260, 640)))
        assert await desk.regions(Carving(LARGE, (ON_THE_CAT,))) == region
        _, carved = desk.model.on_crops
        assert (carved.box, carved.points) == (Box(240, 216, 300, 256), (Point(270, 236, positive=False),))

    run(scenario())


def test_a_negative_click_beside_the_crop_asks_for_nothing(threads: Threads) -> None:
    async def scenario() -> None:
        desk = Desk(threads)
        desk.model.half = 400  # the mask is at the crop's corner
        region = await desk.regions(Prompt(LARGE, box=Box(1200, 600, 1260, 640)))
        assert await desk.regions(Carving(LARGE, (Point(955, 500, positive=False),))) == []
        assert await desk.regions(Carving(LARGE, (Point(975, 500, positive=False),))) == region
        assert [len(prompt.points) for prompt in desk.model.on_crops] == [0, 1]

    run(scenario())


def test_a_mask_that_was_found_on_the_whole_image_is_carved_there(threads: Threads) -> None:
    async def scenario() -> None:
        desk = Desk(threads)
        region = await desk.regions(Prompt(LARGE, (AT_THE_CAT,)), crop="off")
        assert await desk.regions(Carving(LARGE, (ON_THE_CAT,))) == region
        assert went_on_from(desk.model.decoded[-1][1]) == 0
        assert desk.model.encoded == [(1500, 2400)]

    run(scenario())


def test_a_mask_that_was_found_on_a_crop_is_carved_nowhere_else(threads: Threads) -> None:
    async def scenario() -> None:
        desk = Desk(threads)
        await desk.segment(Prompt(LARGE, (AT_THE_CAT,)))
        whole = await desk.embedder.look(CAT, Priority.CLICK)
        carving = Gesture(Carving(LARGE, (ON_THE_CAT,)), "image", "tool")
        assert desk.refiner.decode(whole, carving) is None

    run(scenario())


def test_of_two_small_objects_side_by_side_the_one_under_the_click_is_carved(threads: Threads) -> None:
    """They are 2 px apart, on an image that is remembered in steps of 10 px as a whole."""

    async def scenario() -> None:
        desk = Desk(threads)
        desk.model.half = 9
        cat = await desk.regions(Prompt(LARGE, (AT_THE_CAT,)), ids="a")
        kitten = await desk.regions(Prompt(LARGE, (Point(1230, 605),)), ids="b")
        assert cat != kitten
        assert await desk.regions(Carving(LARGE, (Point(1217, 605, positive=False),)), ids="c") == cat
        assert await desk.regions(Carving(LARGE, (Point(1223, 605, positive=False),)), ids="d") == kitten

    run(scenario())


def test_a_mask_is_gone_on_from_and_carved_after_its_image_has_left_memory(threads: Threads) -> None:
    async def scenario() -> None:
        desk = Desk(threads, cache_bytes=0)  # each click sees another copy of the embedding
        await desk.segment(Prompt(LARGE, (AT_THE_CAT,)), crop="off")
        region = await desk.regions(Prompt(LARGE, (AT_THE_CAT, Point(1230, 620))), crop="off")
        assert await desk.regions(Carving(LARGE, (ON_THE_TAIL,))) == region
        _, clicked, carved = (prompt for _, prompt in desk.model.decoded)
        assert (went_on_from(clicked), went_on_from(carved)) == (0, 1)

    run(scenario())


def test_logits_are_not_gone_on_from_on_another_crop(threads: Threads) -> None:
    async def scenario() -> None:
        desk = Desk(threads)
        await desk.segment(Prompt(LARGE, (AT_THE_CAT,)), crop="off")
        await desk.segment(Prompt(LARGE, (AT_THE_CAT, Point(1230, 620))))
        await desk.segment(Prompt(LARGE, (AT_THE_CAT, Point(1230, 620), Point(1600, 605))))
        assert [prompt.previous for _, prompt in desk.model.decoded] == [None] * 5

    run(scenario())


def test_a_mask_is_not_carved_where_its_crop_cannot_be_had_any_more(threads: Threads) -> None:
    async def scenario() -> None:
        desk = Desk(threads, cache_bytes=2 * 3, file_bytes=0)  # of two embeddings
        await desk.segment(Prompt(LARGE, (AT_THE_CAT,)))
        await desk.segment(Prompt(LARGE, (Point(300, 1200),)))
        desk.images.down = True
        with pytest.raises(ImageUnavailable, match="the site is down"):
            await desk.regions(Carving(LARGE, (ON_THE_CAT,)))

    run(scenario())
