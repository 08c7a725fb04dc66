"""Eight annotators on eight real pictures, over real HTTP, with the real model."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.conftest import Site
from tests.studio import body, click, decode_mask
from tests.weights.scenes import DISCS, scene

ANNOTATORS = 8


def session(server: str, image: str, number: int) -> list[list[int]]:
    """Each click on another disc; a new connection each time, as Label Studio makes."""
    answers = []
    for k in range(DISCS):
        drawn = [click(60 + 90 * k, 150, 480, 300 + 20 * number)]
        answer = httpx.post(f"{server}/predict", json=body(image, drawn), timeout=90)
        assert answer.status_code == 200, answer.text
        region: dict[str, Any] = answer.json()["results"][0]["result"][0]
        assert decode_mask(region)[150, 60 + 90 * k]
        answers.append(region["value"]["rle"])
    return answers


@pytest.mark.weights
def test_eight_annotators_get_the_masks_that_each_would_get_alone(server: str, site: Site) -> None:
    urls = [site.put(f"/{number}.jpg", scene(number), "image/jpeg") for number in range(ANNOTATORS)]
    with ThreadPoolExecutor(ANNOTATORS) as pool:
        together = list(pool.map(session, [server] * ANNOTATORS, urls, range(ANNOTATORS)))
    alone = [session(server, url, number) for number, url in enumerate(urls)]
    assert together == alone
    assert len({str(rle) for masks in alone for rle in masks}) == ANNOTATORS * DISCS
    assert len(site.requests) == ANNOTATORS
