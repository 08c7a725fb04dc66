"""The endpoints, as Label Studio 1.23 calls them."""

import base64
from typing import Any

import msgspec
import numpy as np
import pytest
from litestar import Litestar
from litestar.testing import TestClient

from server.app import create_app
from server.core.rle import encode_rle
from server.runtime.model import SamModel
from server.settings import Settings
from tests.conftest import Site, png
from tests.studio import CONFIG, body, box, click, decode_mask, shape

Client = TestClient[Litestar]


def ask(client: Client, image: str, drawn: Any, config: str = CONFIG) -> list[dict[str, Any]]:
    answer = client.post("/predict", json=body(image, drawn, config))
    assert answer.status_code == 200, answer.text
    (prediction,) = answer.json()["results"]
    result: list[dict[str, Any]] = prediction["result"]
    assert prediction["score"] == max((region["score"] for region in result), default=0)
    return result


@pytest.mark.parametrize("path", ["/", "/health"])
def test_health_names_the_model_its_graphs_and_the_provider_that_runs_it(
    client: Client, tiny: SamModel, path: str
) -> None:
    health = client.get(path).json()
    assert health.items() >= {"status": "UP", "model_class": "Tiny", "model_version": tiny.version}.items()
    assert (health["provider"], health["encoder"], health["decoder"]) == ("CPUExecutionProvider", "stock", "stock")


def test_setup_and_versions_give_a_version_that_follows_the_weights(client: Client, tiny: SamModel) -> None:
    setup = client.post("/setup", json={"project": "1.1", "schema": CONFIG, "extra_params": None})
    assert (setup.status_code, setup.json()) == (200, {"model_version": tiny.version})
    assert client.get("/versions").json() == {"versions": [tiny.version]}


def test_a_path_prefix_leads_to_the_same_endpoints_without_redirects(settings: Settings, tiny: SamModel) -> None:
    with TestClient(create_app(msgspec.structs.replace(settings, base_path="/pre/fix"), tiny)) as client:
        for path in ("/pre/fix", "/pre/fix/", "/pre/fix/health", "/pre/fix/versions"):
            assert client.get(path, follow_redirects=False).status_code == 200
        assert client.post("/pre/fix/setup", json={}, follow_redirects=False).status_code == 200
        assert (
            client.post("/pre/fix/predict/", json={"tasks": [{"data": {}}]}, follow_redirects=False).status_code == 200
        )
        assert client.get("/health").status_code == 404


def test_an_opened_task_gets_an_empty_answer(client: Client, site: Site) -> None:
    opened = body(site.put("/a.png", png(40, 60)), None) | {
        "params": {"login": None, "password": None, "context": None}
    }
    for request in (opened, opened | {"params": {"context": {}}}, opened | {"params": None}):
        answer = client.post("/predict", json=request)
        assert (answer.status_code, answer.json()) == (200, {"results": []})


def test_many_opened_tasks_are_fine(client: Client) -> None:
    tasks = [{"id": i, "data": {"image": "x"}} for i in range(500)]
    assert client.post("/predict", json={"tasks": tasks, "params": {"context": None}}).json() == {"results": []}


def test_training_is_answered_with_the_truth(client: Client) -> None:
    answer = client.post("/webhook", json={"action": "START_TRAINING", "project": {"id": 1}})
    assert answer.status_code == 200
    assert "nothing to train" in answer.json()["detail"]
    assert "job" not in answer.json()


def test_a_click_becomes_a_brush_region_for_its_label(client: Client, site: Site) -> None:
    (region,) = ask(client, site.put("/a.png", png(120, 160)), [click(80, 60, 160, 120)])
    mask = decode_mask(region)
    assert mask.shape == (120, 160)
    assert mask[60, 80]
    assert region["type"] == "brushlabels"
    assert (region["from_name"], region["to_name"], region["image_rotation"]) == ("brush", "image", 0)
    assert region["value"]["brushlabels"] == ["A"]
    assert isinstance(region["score"], float)
    assert len(region["id"]) == 10


def test_ids_never_repeat(client: Client, site: Site) -> None:
    url = site.put("/a.png", png(40, 60))
    ids = {ask(client, url, [click(30, 20, 60, 40)])[0]["id"] for _ in range(50)}
    assert len(ids) == 50


def test_a_negative_click_takes_its_surroundings_away(client: Client, site: Site) -> None:
    url = site.put("/a.png", png(120, 160))
    (without,) = ask(client, url, [click(80, 60, 160, 120)])
    drawn = [click(80, 60, 160, 120), click(96, 60, 160, 120, is_positive=False)]
    (with_negative,) = ask(client, url, drawn)
    assert decode_mask(without)[60, 96]
    assert not decode_mask(with_negative)[60, 96]
    assert decode_mask(with_negative)[60, 80]


def test_with_auto_accept_a_negative_click_arrives_alone_and_replaces_the_region_it_is_on(
    client: Client, site: Site
) -> None:
    url = site.put("/a.png", png(120, 160))
    (accepted,) = ask(client, url, [click(80, 60, 160, 120)])
    (carved,) = ask(client, url, [click(96, 60, 160, 120, is_positive=False)])
    assert carved["id"] == accepted["id"]
    assert decode_mask(accepted)[60, 96]
    assert not decode_mask(carved)[60, 96]
    assert decode_mask(carved)[60, 80]
    (again,) = ask(client, url, [click(64, 60, 160, 120, is_positive=False)])
    assert again["id"] == accepted["id"]
    assert not decode_mask(again)[60, [64, 96]].any()
    (both,) = ask(client, url, [click(80, 60, 160, 120), box(70, 50, 90, 70, 160, 120)])
    assert both["id"] != accepted["id"]


@pytest.mark.parametrize("first", [click(80, 60, 160, 120), box(60, 40, 100, 80, 160, 120)], ids=["click", "box"])
def test_a_negative_click_alone_off_every_region_gets_no_answer(
    client: Client, site: Site, first: dict[str, Any]
) -> None:
    url = site.put("/a.png", png(120, 160))
    (accepted,) = ask(client, url, [first])
    mask = decode_mask(accepted)
    assert mask.any()
    for number, (x, y) in enumerate((x, y) for y in range(2, 120, 9) for x in range(2, 160, 9)):
        answer = ask(client, url, [click(x, y, 160, 120, is_positive=False, id=str(number))])
        assert mask[y, x] or not answer
        for region in answer:
            assert region["id"] == accepted["id"]
            mask = decode_mask(region)


@pytest.mark.parametrize("drawn", [[], [click(30, 20, 60, 40, is_positive=False)]])
def test_nothing_asked_for_is_an_answer_without_regions(client: Client, site: Site, drawn: Any) -> None:
    assert ask(client, site.put("/a.png", png(40, 60)), drawn) == []


def test_a_stroke_that_was_erased_again_asks_for_nothing(client: Client, site: Site) -> None:
    erased = {"format": "rle", "rle": encode_rle(np.zeros((40, 60), np.bool_)).tolist()}
    assert ask(client, site.put("/a.png", png(40, 60)), [shape("brush", erased, 60, 40)]) == []


def test_several_boxes_give_a_region_each(client: Client, site: Site) -> None:
    drawn = [box(10, 10, 50, 50, 160, 120), box(90, 60, 130, 100, 160, 120)]
    first, second = ask(client, site.put("/a.png", png(120, 160)), drawn)
    assert decode_mask(first)[30, 30]
    assert decode_mask(second)[80, 110]
    assert first["id"] != second["id"]


def test_the_same_item_twice_changes_nothing(client: Client, site: Site) -> None:
    url = site.put("/a.png", png(120, 160))
    (once,) = ask(client, url, [box(10, 10, 50, 50, 160, 120)])
    (twice,) = ask(client, url, [box(10, 10, 50, 50, 160, 120)] * 2)
    assert once["value"] == twice["value"]


def test_a_label_that_the_answering_control_lacks_is_left_out(client: Client, site: Site) -> None:
    (region,) = ask(client, site.put("/a.png", png(40, 60)), [click(30, 20, 60, 40, label="Only point")])
    assert "brushlabels" not in region["value"]


def test_the_control_is_the_one_of_the_clicked_image(client: Client, site: Site) -> None:
    config = """<View><Image name="left" value="$l"/><Image name="right" value="$r"/>
        <BrushLabels name="bl" toName="left"><Label value="A"/></BrushLabels>
        <BrushLabels name="br" toName="right"><Label value="A"/></BrushLabels>
        <KeyPointLabels name="kl" toName="left"/><KeyPointLabels name="kr" toName="right"/></View>"""
    request = body(None, [click(10, 10, 60, 40, from_name="kr", to_name="right")], config)
    request["tasks"][0]["data"] = {"l": site.url + "/missing.png", "r": site.put("/r.png", png(40, 60))}
    (prediction,) = client.post("/predict", json=request).json()["results"]
    assert prediction["result"][0]["from_name"] == "br"


def test_the_editors_size_wins_where_the_file_has_another(client: Client, site: Site) -> None:
    url = site.put("/a.png", png(120, 160))
    (native,) = ask(client, url, [click(40, 30, 160, 120)])
    (doubled,) = ask(client, url, [click(80, 60, 320, 240)])
    large, small = decode_mask(doubled), decode_mask(native)
    assert large.shape == (240, 320)
    assert (large[::2, ::2] == small).mean() > 0.97


def test_a_data_uri_is_an_image_too(client: Client) -> None:
    uri = "data:image/png;base64," + base64.b64encode(png(40, 60)).decode()
    (region,) = ask(client, uri, [click(30, 20, 60, 40)])
    assert decode_mask(region)[20, 30]


def test_an_image_is_fetched_once_for_many_clicks(client: Client, site: Site) -> None:
    url = site.put("/a.png", png(120, 160))
    for x in range(10, 150, 20):
        ask(client, url, [click(x, 60, 160, 120)])
    assert len(site.requests) == 1
