"""Many annotators at once: no errors, and every mask is the one its annotator would get alone."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from litestar import Litestar
from litestar.testing import TestClient

from tests.conftest import Site, png
from tests.studio import body, click

Client = TestClient[Litestar]
ANNOTATORS, CLICKS = 8, 5


def answer(client: Client, url: str, drawn: list[dict[str, Any]]) -> list[int]:
    response = client.post("/predict", json=body(url, drawn))
    assert response.status_code == 200, response.text
    rle: list[int] = response.json()["results"][0]["result"][0]["value"]["rle"]
    return rle


def session(client: Client, url: str, number: int) -> list[list[int]]:
    """One annotator adds a click at a time to an image of a size that no other has."""
    height, width = 100 + 10 * number, 200
    points = [click(20 + 30 * k, 30 + 7 * number, width, height, is_positive=k != 3) for k in range(CLICKS)]
    return [answer(client, url, points[: k + 1]) for k in range(CLICKS)]


def test_eight_annotators_on_eight_images_get_what_each_would_get_alone(client: Client, site: Site) -> None:
    urls = [site.put(f"/{n}.png", png(100 + 10 * n, 200, seed=n)) for n in range(ANNOTATORS)]
    with ThreadPoolExecutor(ANNOTATORS) as pool:
        together = list(pool.map(session, [client] * ANNOTATORS, urls, range(ANNOTATORS)))
    alone = [session(client, url, number) for number, url in enumerate(urls)]
    assert together == alone
    assert len({str(masks) for masks in alone}) == ANNOTATORS


def test_eight_first_clicks_on_one_image_fetch_it_once(client: Client, site: Site) -> None:
    url = site.put("/one.png", png(120, 160))
    with ThreadPoolExecutor(ANNOTATORS) as pool:
        answers = list(pool.map(lambda n: answer(client, url, [click(20 * n + 5, 60, 160, 120)]), range(ANNOTATORS)))
    assert len({str(rle) for rle in answers}) == ANNOTATORS
    assert len(site.requests) == 1
