"""Every request that Label Studio 1.23.2 was seen to send, replayed against an app that knows its uploads."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import TestClient
from PIL import Image

from tests.conftest import Site, png
from tests.studio import LEGACY_TOKEN, decode_mask

Client = TestClient[Litestar]
RECORDED = sorted((Path(__file__).parents[1] / "recorded").glob("*.json"))
BY_KIND = {
    kind: [path for path in RECORDED if path.name.startswith(kind)] for kind in ("predict_", "webhook_", "setup")
}
OPENED = [path for path in BY_KIND["predict_"] if "noninteractive" in path.name]
# answered without a region: there is nothing to carve a negative click out of
NEGATIVE = [path for path in BY_KIND["predict_"] if path.stem == "predict_keypoint_neg_only"]
# set up with the extra params {"a": 1, "b": "x"}
FOREIGN = [path for path in BY_KIND["setup"] if path.stem == "setup_basic_auth_extra_params"]
SETUP = [path for path in BY_KIND["setup"] if path not in FOREIGN]
CLICKED = [path for path in BY_KIND["predict_"] if path not in OPENED + NEGATIVE]


def load(path: Path) -> dict[str, Any]:
    recording: dict[str, Any] = json.loads(path.read_bytes())
    return recording


@pytest.fixture(autouse=True)
def uploads(site: Site) -> None:
    """The files that the recordings speak of: a picture of 800 x 600 px, and one that EXIF turns to 600 x 800."""
    site.put("/data/upload/2/59ffb85e-img.jpg", png(600, 800))
    turned = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.open(io.BytesIO(png(600, 800))).save(turned, "JPEG", exif=exif)
    site.put("/data/upload/2/76d31477-img_exif6.jpg", turned.getvalue(), "image/jpeg")


def test_the_recordings_are_all_here() -> None:
    assert len(CLICKED) >= 12
    assert len(BY_KIND["webhook_"]) >= 7


@pytest.mark.parametrize("path", CLICKED, ids=lambda path: path.stem)
def test_a_recorded_gesture_gets_a_mask_of_the_editors_size(client: Client, site: Site, path: Path) -> None:
    request = load(path)["body"]
    items = request["params"]["context"]["result"]
    answer = client.post("/predict", json=request)
    assert answer.status_code == 200, answer.text
    (prediction,) = answer.json()["results"]
    assert prediction["result"]
    for region in prediction["result"]:
        if path.stem == "predict_brush_forced":  # the control that made the prompt answers last
            assert region["type"] == "polygonlabels"
            assert all(0 <= x <= 100 and 0 <= y <= 100 for x, y in region["value"]["points"])
        elif region["type"] != "labels":
            assert decode_mask(region).any()
        last = items[-1]
        for key in ("original_width", "original_height", "to_name", "image_rotation"):
            assert region[key] == last[key]
        assert region.get("item_index", "none") == last.get("item_index", "none")
        assert f'name="{region["from_name"]}"' in request["label_config"]
    assert site.requests[0][1] == f"Token {LEGACY_TOKEN}"


@pytest.mark.parametrize("path", NEGATIVE, ids=lambda path: path.stem)
def test_a_recorded_negative_click_alone_gets_no_region(client: Client, path: Path) -> None:
    (prediction,) = client.post("/predict", json=load(path)["body"]).json()["results"]
    assert prediction["result"] == []


@pytest.mark.parametrize("path", OPENED, ids=lambda path: path.stem)
def test_a_recorded_opening_of_tasks_is_answered_at_once(client: Client, path: Path) -> None:
    assert client.post("/predict", json=load(path)["body"]).json() == {"results": []}


@pytest.mark.parametrize("path", BY_KIND["webhook_"] + SETUP, ids=lambda path: path.stem)
def test_a_recorded_setup_or_webhook_is_accepted(client: Client, path: Path) -> None:
    recording = load(path)
    answer = client.post(recording["path"].removeprefix("/pre/fix"), json=recording["body"])
    assert answer.status_code == 200, answer.text
    assert isinstance(answer.json(), dict)


@pytest.mark.parametrize("path", FOREIGN, ids=lambda path: path.stem)
def test_extra_params_that_are_no_options_are_refused_with_those_that_are(client: Client, path: Path) -> None:
    answer = client.post("/setup", json=load(path)["body"])
    assert answer.status_code == 400
    assert "there is no option 'a'; there are output, tolerance" in answer.json()["detail"]


def test_separate_labels_come_back_in_an_item_of_the_same_id(client: Client) -> None:
    request = load(next(path for path in CLICKED if "keypoint_with_separate_Labels" in path.name))["body"]
    (prediction,) = client.post("/predict", json=request).json()["results"]
    region, twin = prediction["result"]
    assert (region["type"], region["from_name"]) == ("brush", "brush")
    assert "labels" not in region["value"]
    assert (twin["type"], twin["from_name"], twin["id"]) == ("labels", "lab", region["id"])
    assert twin["value"] == {"labels": ["A"]}


def test_a_turned_photo_is_clicked_where_the_annotator_sees_it(client: Client) -> None:
    request = load(next(path for path in CLICKED if path.stem == "predict_keypoint_exif6"))["body"]
    item = request["params"]["context"]["result"][0]
    (prediction,) = client.post("/predict", json=request).json()["results"]
    mask = decode_mask(prediction["result"][0])
    assert mask.shape == (800, 600)
    assert mask[int(item["value"]["y"] * 8), int(item["value"]["x"] * 6)]
