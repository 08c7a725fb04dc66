"""`params.context.event`, as the clients of Label Studio's interactive SAM2 backend send it."""

from typing import Any

import msgspec
import pytest
from litestar import Litestar
from litestar.testing import TestClient

from server.app import create_app
from server.settings import Settings
from tests.conftest import Site, png
from tests.held import HeldModel
from tests.studio import CONFIG, body, click, decode_mask
from tests.waiting import eventually

Client = TestClient[Litestar]
PAGES = """<View><Header name="h" value="x"/><Choices name="c" toName="h"/><Image name="scan" valueList="$pages"/>
    <BitmaskLabels name="mask" toName="scan"/></View>"""


def announce(client: Client, event: str, data: dict[str, Any], config: str = CONFIG, **more: Any) -> dict[str, Any]:
    context = {"event": event} | more
    request = {"tasks": [{"id": 7, "data": data}], "project": "1.17", "label_config": config}
    params = {"context": context, "login": "ann", "password": "pw"}
    answer = client.post("/predict", json=request | {"params": params})
    assert answer.status_code == 200, answer.text
    (prediction,) = answer.json()["results"]
    (item,) = prediction["result"]
    assert len(item["id"]) == 10
    assert item["origin"] == "manual"
    found: dict[str, Any] = item
    return found


def test_capabilities_name_the_prompts_and_the_controls_that_can_answer(client: Client) -> None:
    answer = client.post("/predict", json={"tasks": [], "params": {"context": {"event": "capabilities"}}})
    (item,) = answer.json()["results"][0]["result"]
    assert item["type"] == "capabilities"
    assert item["value"]["prompts"] == ["point", "box"]
    assert {"tag": "BitmaskLabels", "output": "mask"} in item["value"]["targets"]
    assert item["value"]["model_info"]["name"] == "Tiny"
    assert "from_name" not in item


def test_a_prewarmed_task_is_encoded_before_the_click(settings: Settings, site: Site, held: HeldModel) -> None:
    data = {"pages": [site.picture(height) for height in (40, 41)]}
    with TestClient(create_app(settings, held)) as client:
        first = announce(client, "prewarm", data, PAGES, frame=0, window=10, direction="forward")
        assert (first["type"], first["from_name"], first["to_name"]) == ("prewarm_ack", "mask", "scan")
        assert first["value"] == {"status": "ok", "cached": [], "pending": [0, 1]}
        assert eventually(
            lambda: (
                announce(client, "prewarm", data, PAGES)["value"] == {"status": "ok", "cached": [0, 1], "pending": []}
            )
        )
    assert sorted(held.begun) == [40, 41]  # they are fetched at the same time, and encoded as they come


def test_a_prewarmed_task_is_fetched_with_the_login_of_its_project(
    settings: Settings, site: Site, held: HeldModel
) -> None:
    url = site.put("/40.png", png(40, 60)).replace("127.0.0.1", "localhost")
    allowed = msgspec.structs.replace(settings, allow_hosts=("localhost",))
    with TestClient(create_app(allowed, held)) as client:
        announce(client, "prewarm", {"pages": [url]}, PAGES)
        assert eventually(lambda: site.requests == [("/40.png", "Basic YW5uOnB3")])


def test_a_released_task_is_not_encoded(settings: Settings, site: Site, held: HeldModel) -> None:
    held.go.clear()
    with TestClient(create_app(settings, held)) as client:
        pages = [site.picture(height) for height in range(40, 50)]
        announce(client, "prewarm", {"pages": pages}, PAGES)
        assert eventually(lambda: len(site.requests) == 3 and len(held.begun) == 1)
        released = announce(client, "release", {"pages": pages}, PAGES)
        assert (released["type"], released["value"]) == ("release_ack", {"status": "released"})
        held.go.set()
        request = body(site.put("/good.png", png(20, 60)), [click(30, 10, 60, 20)])
        assert client.post("/predict", json=request).status_code == 200
    assert len(held.begun) == 2
    assert held.begun[-1] == 20


@pytest.mark.parametrize("event", ["predict", "track", "brew coffee"])
def test_another_event_changes_nothing(client: Client, site: Site, event: str) -> None:
    request = body(site.put("/a.png", png(40, 60)), [click(30, 20, 60, 40)])
    request["params"]["context"]["event"] = event
    (prediction,) = client.post("/predict", json=request).json()["results"]
    assert decode_mask(prediction["result"][0])[20, 30]
    request["params"]["context"] = {"event": event}
    assert client.post("/predict", json=request).json() == {"results": []}


@pytest.mark.parametrize("event", ["prewarm", "release"])
@pytest.mark.parametrize(
    ("change", "word"), [({"tasks": []}, "tasks"), ({"label_config": "<View"}, "label_config")], ids=["task", "config"]
)
def test_what_is_announced_without_a_task_or_with_a_broken_config_is_refused(
    client: Client, event: str, change: dict[str, Any], word: str
) -> None:
    request = body("/a.png", None) | {"params": {"context": {"event": event}}} | change
    answer = client.post("/predict", json=request)
    assert answer.status_code == 400
    assert word in answer.json()["detail"]


def test_a_task_without_images_is_prewarmed_at_once(client: Client) -> None:
    item = announce(client, "prewarm", {"text": "x"}, "<View/>")
    assert item["value"] == {"status": "ok", "cached": [], "pending": []}
    assert "to_name" not in item
