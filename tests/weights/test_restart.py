"""A server that is killed loses nothing that it has written."""

import signal
from pathlib import Path

import httpx
import pytest

from server.core.prediction import Mask
from tests.conftest import Site, png
from tests.overlap import overlap
from tests.studio import CONFIG, answered_mask, body, click
from tests.waiting import eventually
from tests.weights.serving import Server, serving

HEIGHT, WIDTH, IMAGES = 300, 400, 3


def mask(server: Server, image: str) -> Mask:
    drawn = [click(WIDTH / 2, HEIGHT / 2, WIDTH, HEIGHT)]
    answer = httpx.post(f"{server.url}/predict", json=body(image, drawn), timeout=90)
    return answered_mask(answer)


def written(folder: Path, count: int) -> bool:
    """Whether there are so many embeddings within half a minute."""
    return eventually(lambda: len(list(folder.glob("*.embedding"))) >= count, seconds=30)


@pytest.mark.weights
def test_after_a_kill_minus_9_nothing_is_encoded_again(graphs: Path, site: Site, tmp_path: Path) -> None:
    images = [site.put(f"/{number}.png", png(HEIGHT, WIDTH, seed=number)) for number in range(IMAGES)]
    with serving(graphs, tmp_path / "cache") as first:
        before = [mask(first, image) for image in images]
        assert written(tmp_path / "cache" / "embeddings", IMAGES)
        first.process.kill()
    with serving(graphs, tmp_path / "cache") as second:
        after = [mask(second, image) for image in images]
    assert [log.result().count(b'"event": "encoded"') for log in (first.log, second.log)] == [IMAGES, 0]
    for old, new in zip(before, after, strict=True):
        assert overlap(old, new) >= 0.99


@pytest.mark.weights
def test_a_crawl_that_was_killed_goes_on_with_what_was_not_kept(graphs: Path, site: Site, tmp_path: Path) -> None:
    kept, count = tmp_path / "cache" / "embeddings", 8
    images = [site.put(f"/{number}.png", png(HEIGHT, WIDTH, seed=number)) for number in range(count)]
    tasks = [{"id": number, "data": {"image": image}} for number, image in enumerate(images)]
    crawl = {"tasks": tasks, "project": "1.17", "label_config": CONFIG, "params": {"context": None}}
    with serving(graphs, tmp_path / "cache") as first:
        assert httpx.post(f"{first.url}/predict", json=crawl).json() == {"results": []}
        assert written(kept, 3)
        first.process.kill()
        first.process.wait()
    whole = {path: path.read_bytes() for path in kept.glob("*.embedding")}
    assert 3 <= len(whole) < count
    with serving(graphs, tmp_path / "cache") as second:
        httpx.post(f"{second.url}/predict", json=crawl)
        assert written(kept, count)
        assert all(mask(second, image).any() for image in images)
    assert second.log.result().count(b'"event": "encoded"') == count - len(whole)
    assert b"damaged" not in second.log.result()
    assert {path: path.read_bytes() for path in whole} == whole


@pytest.mark.weights
def test_ctrl_c_ends_a_server_without_a_word_of_failure(graphs: Path, tmp_path: Path) -> None:
    with serving(graphs, tmp_path / "cache") as server:
        server.process.send_signal(signal.SIGINT)
        assert server.process.wait(30) == 0
    assert b"Aborted" not in server.log.result()
