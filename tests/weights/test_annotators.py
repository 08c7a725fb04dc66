"""Eight annotators on eight real pictures, over real HTTP, with the real model."""

import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image

from tests.conftest import Site
from tests.studio import body, click, decode_mask
from tests.weights.serving import serving

ANNOTATORS, CLICKS = 8, 5


@pytest.fixture
def server(graphs: Path, tmp_path: Path) -> Iterator[str]:
    with serving(graphs, tmp_path / "cache") as running:
        yield running.url


def scene(number: int) -> bytes:
    """Bright discs on a dark, noisy ground, of a size that no other scene has."""
    rng = np.random.default_rng(number)
    height, width = 300 + 20 * number, 480
    rows, columns = np.mgrid[:height, :width]
    picture = rng.normal(60, 12, (height, width, 3))
    for k in range(CLICKS):
        disc = (rows - 150) ** 2 + (columns - (60 + 90 * k)) ** 2 < (20 + 3 * number) ** 2
        picture[disc] = rng.integers(120, 255, 3)
    buffer = io.BytesIO()
    Image.fromarray(picture.clip(0, 255).astype(np.uint8)).save(buffer, "JPEG", quality=92)
    return buffer.getvalue()


def session(server: str, image: str, number: int) -> list[list[int]]:
    """Each click on another disc; a new connection each time, as Label Studio makes."""
    answers = []
    for k in range(CLICKS):
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
    assert len({str(rle) for masks in alone for rle in masks}) == ANNOTATORS * CLICKS
    assert len(site.requests) == ANNOTATORS
