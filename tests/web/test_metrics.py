"""What a server tells of its own speed."""

import msgspec
from litestar import Litestar
from litestar.testing import TestClient

from server.app import create_app
from server.runtime.model import SamModel
from server.settings import Settings
from server.web.metrics import Metrics
from tests.conftest import Site, png
from tests.held import HeldModel
from tests.measured import counters, stages
from tests.studio import CONFIG, body, click
from tests.waiting import eventually

Client = TestClient[Litestar]


def timing(client: Client, url: str) -> dict[str, float]:
    answer = client.post("/predict", json=body(url, [click(30, 20, 60, 40)]))
    assert answer.status_code == 200, answer.text
    return stages(answer.headers["Server-Timing"])


def samples(client: Client) -> dict[str, float]:
    return counters(client.get("/metrics").text)


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


def test_a_stage_that_is_added_while_stages_are_observed_is_no_error() -> None:
    stages: dict[str, float] = {}

    class Slow(str):
        def __str__(self) -> str:  # while it is observed
            stages["late"] = 0.3
            return "fetch"

    stages[Slow("fetch")] = 0.1
    metrics = Metrics()
    metrics.stages(stages)
    assert 'stage="fetch"' in metrics.exposition().decode()
    assert "late" in stages


def test_look_ups_and_background_work_are_counted_for_prometheus(client: Client, site: Site) -> None:
    url = site.put("/a.png", png(40, 60))
    client.post("/predict", json=body(url, None))
    client.post("/predict", json=body(site.url + "/none.png", None))
    assert eventually(lambda: samples(client)["samserve_precompute_done_total"] == 1)
    assert eventually(lambda: samples(client)["samserve_precompute_failed_total"] == 1)
    timing(client, url)
    counted = samples(client)
    assert "already kept counted too" in client.get("/metrics").text
    assert counted['samserve_cache_hits_total{tier="memory"}'] == 1
    assert counted['samserve_cache_misses_total{tier="disk"}'] == 1
    assert counted['samserve_cache_bytes{tier="memory"}'] == 3 * 16 * 16 * 4
    assert not any("samserve_cache_bytes{" in name and "disk" in name for name in counted)
    lanes = ("click", "opened", "look_ahead", "crawl")
    shown = ("backlog_images", "backlog_dropped_total", "queue_images", "queue_refused_total")
    assert {counted[f'samserve_{name}{{priority="{lane}"}}'] for name in shown for lane in lanes} == {0}
    lost = ("dropped_writes", "failures", "damaged")
    assert {counted[f'samserve_cache_{name}_total{{tier="disk"}}'] for name in lost} == {0}


def test_where_the_background_work_stands_is_told(settings: Settings, site: Site, held: HeldModel) -> None:
    held.go.clear()
    with TestClient(create_app(settings, held)) as client:
        images = [site.picture(height) for height in range(40, 50)]
        tasks = [{"id": number, "data": {"image": image}} for number, image in enumerate(images)]
        client.post("/predict", json={"tasks": tasks, "project": "1.17", "label_config": CONFIG})
        assert eventually(lambda: client.get("/precompute").json()["lanes"]["crawl"]["backlog"] == 8)
        assert eventually(lambda: client.get("/precompute").json()["lanes"]["crawl"]["queue"] == 1)
        held.go.set()
        assert eventually(lambda: client.get("/precompute").json()["done"] == 10)


def test_where_the_background_work_stands_is_told_to_those_with_the_password_only(
    settings: Settings, tiny: SamModel
) -> None:
    locked = msgspec.structs.replace(settings, basic_auth_user="me", basic_auth_pass="secret")
    with TestClient(create_app(locked, tiny)) as client:
        assert client.get("/precompute").status_code == 401
        assert client.get("/precompute", auth=("me", "secret")).json()["failed"] == 0
