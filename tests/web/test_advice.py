"""What the log says of clicks, and of labeling configs that lack something; the answers stay as they are."""

from typing import Any

import numpy as np
import pytest
from litestar import Litestar
from litestar.testing import TestClient
from structlog.testing import capture_logs

from server.core.rle import encode_rle
from tests.conftest import Site, png
from tests.studio import CONFIG, body, box, click, shape

Client = TestClient[Litestar]
ERASED = {"format": "rle", "rle": encode_rle(np.zeros((40, 60), np.bool_)).tolist()}


def logged(client: Client, site: Site, drawn: Any, *events: str, config: str = CONFIG, task: int = 1) -> Any:
    """The log's lines of these events for one request."""
    with capture_logs() as lines:
        answer = client.post("/predict", json=body(site.put("/a.png", png(40, 60)), drawn, config, task))
    assert answer.status_code == 200, answer.text
    return [line for line in lines if line["event"] in events]


CLICKS = [click(30, 20, 60, 40), click(50, 35, 60, 40, is_positive=False)]
BOXES = [box(10, 10, 30, 30, 60, 40), box(20, 10, 50, 30, 60, 40)]


@pytest.mark.parametrize(
    ("drawn", "event", "prompts", "reason"),
    [
        (CLICKS, "segmented", {"click": 1, "negative": 1}, None),
        (BOXES, "segmented", {"box": 2}, None),
        ([shape("brush", ERASED, 60, 40)], "nothing_to_segment", {"brush": 1}, "all that was painted was erased again"),
        (CLICKS[1:], "nothing_to_segment", {"negative": 1}, "no region of this task and label"),
    ],
    ids=["clicks", "boxes", "erased", "negative"],
)
def test_each_click_has_one_line_that_says_what_came_of_it(
    client: Client, site: Site, drawn: Any, event: str, prompts: dict[str, int], reason: str | None
) -> None:
    (line,) = logged(client, site, drawn, "segmented", "nothing_to_segment")
    assert (line["event"], line["task"], line["prompts"]) == (event, "1", prompts)
    assert line.get("reason", "").startswith(reason or "")
    assert ("reason" in line) is (line["scores"] == []) is (reason is not None)


def test_a_task_is_told_of_in_one_way_by_every_line(client: Client, site: Site) -> None:
    lines = logged(client, site, CLICKS, "encoded", "segmented", task=77)
    assert [line["task"] for line in lines] == ["77", "77"]


def test_a_label_that_gets_lost_is_warned_of_once_for_each_project(client: Client, site: Site) -> None:
    drawn = [click(30, 20, 60, 40, label="Only point")]
    (line,) = logged(client, site, drawn, "label_left_out")
    assert (line["log_level"], line["control"], line["labels"]) == ("warning", "brush", ["Only point"])
    assert logged(client, site, drawn, "label_left_out") == []
    assert len(logged(client, site, [click(30, 20, 60, 40, label="Another")], "label_left_out")) == 1
    assert logged(client, site, CLICKS, "label_left_out") == []


def test_setup_warns_once_of_what_a_config_lacks_and_accepts_it(client: Client) -> None:
    without_image = CONFIG.replace('<Image name="image" value="$image"/>', "")
    for schema, warnings in (
        (CONFIG, 1),
        (CONFIG, 0),
        (without_image, 2),
        ('<View><Text name="t" value="$t"/></View>', 0),
    ):
        with capture_logs() as lines:
            answer = client.post("/setup", json={"project": "1.1", "schema": schema})
        assert answer.status_code == 200
        assert [line["log_level"] for line in lines if line["event"] == "label_config"] == ["warning"] * warnings


def test_each_of_two_boxes_comes_back_with_its_own_label(client: Client, site: Site) -> None:
    first, second = (dict(drawn) for drawn in BOXES)
    second["value"] = second["value"] | {"rectanglelabels": ["B"]}
    answer = client.post("/predict", json=body(site.put("/a.png", png(40, 60)), [first, second]))
    regions = answer.json()["results"][0]["result"]
    assert [region["value"]["brushlabels"] for region in regions] == [["A"], ["B"]]


def test_each_of_two_boxes_keeps_its_label_where_labels_are_separate(client: Client, site: Site) -> None:
    config = """<View><Image name="image" value="$image"/><Brush name="brush" toName="image"/>
        <Rectangle name="rect" toName="image"/>
        <Labels name="l" toName="image"><Label value="A"/><Label value="B"/></Labels></View>"""
    drawn = [one | {"value": one["value"] | {"labels": [label]}} for one, label in zip(BOXES, "AB", strict=True)]
    answer = client.post("/predict", json=body(site.put("/a.png", png(40, 60)), drawn, config))
    twins = answer.json()["results"][0]["result"][1::2]
    assert [twin["value"] for twin in twins] == [{"labels": ["A"]}, {"labels": ["B"]}]
