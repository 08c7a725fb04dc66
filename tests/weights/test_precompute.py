"""A crawl in a process of its own, beside a running server that shares its folder."""

import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.conftest import Site
from tests.measured import stages
from tests.studio import answered_mask, body, click
from tests.weights.scenes import scene
from tests.weights.serving import Server, serving

IMAGES, HEIGHT, WIDTH = 4, 300, 480


def precompute(cache: Path, images: Path) -> str:
    command = [sys.executable, "-m", "server", "precompute", "--images", str(images)]
    environment = os.environ | {"SAMSERVE_CACHE_DIR": str(cache)}
    return subprocess.run(command, env=environment, check=True, capture_output=True, text=True, timeout=300).stdout


def is_encoded_by_a_click(server: Server, image: str) -> bool:
    """Whether the server had to encode it; the mask is checked."""
    answer = httpx.post(f"{server.url}/predict", json=body(image, [click(60, 150, WIDTH, HEIGHT)]), timeout=90)
    assert answered_mask(answer)[150, 60]
    return "encode" in stages(answer.headers["Server-Timing"])


@pytest.mark.weights
def test_a_running_server_answers_from_what_a_crawl_beside_it_keeps(graphs: Path, site: Site, tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    urls = []
    for number in range(IMAGES):
        (tmp_path / "photos" / f"{number}.jpg").write_bytes(scene(number))
        urls.append(site.put(f"/elsewhere/{number}", scene(number), "image/jpeg"))
    with serving(graphs, tmp_path / "cache") as server:
        assert is_encoded_by_a_click(server, urls[0])
        crawled = precompute(tmp_path / "cache", tmp_path / "photos")
        assert f"{IMAGES - 1} images encoded, 1 already there, 0 failed" in crawled
        assert not any(is_encoded_by_a_click(server, url) for url in urls)
        standing = httpx.get(f"{server.url}/precompute").json()
    assert [tier["hits"] for tier in standing["tiers"] if tier["tier"] == "disk"] == [IMAGES - 1]
