"""A server that is killed loses nothing that it has written."""

import time
from pathlib import Path

import httpx
import numpy as np
import pytest

from server.core.prediction import Mask
from tests.conftest import Site, png
from tests.studio import body, click, decode_mask
from tests.weights.serving import Server, serving

HEIGHT, WIDTH, IMAGES = 300, 400, 3


def mask(server: Server, image: str) -> Mask:
    drawn = [click(WIDTH / 2, HEIGHT / 2, WIDTH, HEIGHT)]
    answer = httpx.post(f"{server.url}/predict", json=body(image, drawn), timeout=90)
    assert answer.status_code == 200, answer.text
    return decode_mask(answer.json()["results"][0]["result"][0])


def wait_for_files(folder: Path, count: int) -> None:
    deadline = time.monotonic() + 30
    while len(list(folder.glob("*.embedding"))) < count:
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.weights
def test_after_a_kill_minus_9_nothing_is_encoded_again(graphs: Path, site: Site, tmp_path: Path) -> None:
    images = [site.put(f"/{number}.png", png(HEIGHT, WIDTH, seed=number)) for number in range(IMAGES)]
    with serving(graphs, tmp_path / "cache") as first:
        before = [mask(first, image) for image in images]
        wait_for_files(tmp_path / "cache" / "embeddings", IMAGES)
        first.process.kill()
    with serving(graphs, tmp_path / "cache") as second:
        after = [mask(second, image) for image in images]
    assert [log.result().count(b'"event": "encoded"') for log in (first.log, second.log)] == [IMAGES, 0]
    for old, new in zip(before, after, strict=True):
        assert np.count_nonzero(old & new) >= 0.99 * np.count_nonzero(old | new)
