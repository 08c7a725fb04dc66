"""What a server tells of its own speed."""

import re

from litestar import Litestar
from litestar.testing import TestClient

from tests.conftest import Site, png
from tests.studio import body, click

Client = TestClient[Litestar]


def timing(client: Client, url: str) -> dict[str, float]:
    answer = client.post("/predict", json=body(url, [click(30, 20, 60, 40)]))
    assert answer.status_code == 200, answer.text
    found: list[tuple[str, str]] = re.findall(r"(\w+);dur=([\d.]+)", answer.headers["Server-Timing"])
    return {name: float(milliseconds) for name, milliseconds in found}


def samples(client: Client) -> dict[str, float]:
    lines = client.get("/metrics").text.splitlines()
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines if not line.startswith("#")}


def test_the_first_click_tells_all_stages_in_order_and_a_warm_one_has_no_encode(client: Client, site: Site) -> None:
    url = site.put("/a.png", png(40, 60))
    cold = ["parse", "fetch", "decode", "encode", "queue", "decoder", "postprocess", "result"]
    assert list(timing(client, url)) == cold
    assert list(timing(client, url)) == ["parse", "queue", "decoder", "postprocess", "result"]


def test_requests_and_stages_are_counted_for_prometheus(client: Client, site: Site) -> None:
    url = site.put("/a.png", png(40, 60))
    for _ in range(3):
        timing(client, url)
    client.post("/predict", json=body(url, None))
    client.post("/predict", json=body(site.url + "/none.png", [click(30, 20, 60, 40)]))
    counted = samples(client)
    assert counted['samserve_predict_seconds_count{kind="click",outcome="answered"}'] == 3
    assert counted['samserve_predict_seconds_count{kind="opened",outcome="answered"}'] == 1
    assert counted['samserve_predict_seconds_count{kind="click",outcome="ImageUnavailable"}'] == 1
    assert counted['samserve_stage_seconds_count{stage="encode"}'] == 1
    assert counted['samserve_stage_seconds_count{stage="decoder"}'] == 3
    assert counted['samserve_stage_seconds_sum{stage="decoder"}'] > 0
