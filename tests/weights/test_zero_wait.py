"""The first click needs no encode: it was done when the task was opened."""

from typing import Any

import httpx
import pytest

from tests.conftest import Site
from tests.measured import counters, stages
from tests.studio import CONFIG, answered_mask, body, click
from tests.waiting import eventually
from tests.weights.scenes import scene

HEIGHT, WIDTH = 300, 480


def encodes(server: str) -> int:
    """How many images the server has encoded for anyone."""
    return int(counters(httpx.get(f"{server}/metrics").text).get('samserve_stage_seconds_count{stage="encode"}', 0))


def open_tasks(server: str, *images: str) -> None:
    tasks = [{"id": 100 + number, "data": {"image": image}} for number, image in enumerate(images)]
    request = {"tasks": tasks, "project": "1.17", "label_config": CONFIG, "params": {"context": None}}
    assert httpx.post(f"{server}/predict", json=request).json() == {"results": []}


def stages_of_click(server: str, image: str, x: float) -> set[str]:
    """The stages that a click on the disc at x went through; its mask is checked."""
    request: dict[str, Any] = body(image, [click(x, 150, WIDTH, HEIGHT)], task=100)
    answer = httpx.post(f"{server}/predict", json=request, timeout=90)
    assert answered_mask(answer)[150, int(x)]
    return set(stages(answer.headers["Server-Timing"]))


@pytest.mark.weights
def test_the_first_click_on_an_opened_task_goes_the_way_of_a_warm_one(server: str, site: Site) -> None:
    image = site.put("/0.jpg", scene(0), "image/jpeg")
    before = encodes(server)
    open_tasks(server, image)
    assert eventually(lambda: encodes(server) == before + 1, seconds=60)
    first, warm = stages_of_click(server, image, 60), stages_of_click(server, image, 150)
    assert first == warm
    assert "decoder" in first
    assert not {"fetch", "encode"} & first
    assert encodes(server) == before + 1
    assert len(site.requests) == 1


@pytest.mark.weights
def test_a_click_during_a_crawl_does_not_wait_for_the_crawl(server: str, site: Site) -> None:
    images = [site.put(f"/{number}.jpg", scene(number), "image/jpeg") for number in range(1, 13)]
    clicked = site.put("/clicked.jpg", scene(0), "image/jpeg")
    before = encodes(server)
    open_tasks(server, *images)
    assert eventually(lambda: encodes(server) > before, seconds=60)
    done = encodes(server)
    stages_of_click(server, clicked, 60)
    assert encodes(server) - done <= 4  # its own, the one that ran, and what ended before it was sent or counted
    assert eventually(lambda: encodes(server) == before + 13, seconds=120)
