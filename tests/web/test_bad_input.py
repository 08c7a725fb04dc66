"""Bad input: a clear error that names the way out, no traceback, and the next good request works."""

import io
import json
import socket
import struct
import threading
import zlib
from typing import Any

import msgspec
import pytest
from litestar import Litestar
from litestar.testing import TestClient
from PIL import Image

from server.app import create_app
from server.runtime.model import SamModel
from server.settings import Settings
from tests.conftest import Site, png
from tests.studio import CONFIG, answered_mask, body, box, click

Client = TestClient[Litestar]


@pytest.fixture(autouse=True)
def the_next_good_request_works(client: Client, site: Site) -> Any:
    yield
    answer = client.post("/predict", json=body(site.put("/good.png", png(40, 60)), [click(30, 20, 60, 40)]))
    assert answered_mask(answer)[20, 30]


def refused(answer: Any, status: int, *words: str) -> None:
    assert answer.status_code == status, answer.text
    problem = answer.json()
    assert set(problem) == {"error", "detail"}
    for word in words:
        assert word in problem["detail"], problem["detail"]
    assert "Traceback" not in answer.text
    assert 'File "' not in answer.text


@pytest.mark.parametrize("path", ["/predict", "/setup", "/webhook"])
@pytest.mark.parametrize("content", [b"", b"not json", b"[]", b"null", b"\xff\xfe", b'{"tasks": NaN}', b'"text"'])
def test_a_body_that_is_no_json_object(client: Client, path: str, content: bytes) -> None:
    refused(client.post(path, content=content), 400, "body")


def test_a_body_that_is_nested_without_end(client: Client) -> None:
    content = b'{"tasks": [], "deep": ' + b"[" * 200_000 + b"]" * 200_000 + b"}"
    refused(client.post("/predict", content=content), 400, "body")


BAD_TASKS: dict[str, tuple[dict[str, Any], str]] = {
    "no tasks": ({"tasks": []}, "tasks"),
    "tasks missing": ({"tasks": None}, "tasks"),
    "task without data": ({"tasks": [{"id": 1}]}, "data"),
    "no image field": ({"tasks": [{"id": 1, "data": {"text": "x"}}]}, "'image'"),
    "null image": ({"tasks": [{"id": 1, "data": {"image": None}}]}, "$image"),
    "empty image": ({"tasks": [{"id": 1, "data": {"image": "  "}}]}, "$image"),
    "number for an image": ({"tasks": [{"id": 1, "data": {"image": 7}}]}, "$image"),
    "a project's name as long as a book": ({"project": "7" * 101}, "$.project"),
    "two tasks": ({"tasks": [{"id": 1, "data": {}}] * 2}, "2 were sent"),
    "no config": ({"label_config": None}, "label_config"),
    "broken config": ({"label_config": "<View><Image"}, "label_config"),
    "config with entities": ({"label_config": "<!DOCTYPE x [<!ENTITY a 'b'>]><View/>"}, "entities"),
    "config without the control": ({"label_config": '<View><Image name="image" value="$image"/></View>'}, "'kp'"),
    "config without a mask control": (
        {"label_config": '<View><Image name="image" value="$image"/><KeyPointLabels name="kp" toName="image"/></View>'},
        "BitmaskLabels",
    ),
    "config without the image": (
        {"label_config": CONFIG.replace('<Image name="image"', '<Image name="other"')},
        "'image'",
    ),
}


@pytest.mark.parametrize(("change", "word"), BAD_TASKS.values(), ids=BAD_TASKS.keys())
def test_a_request_that_cannot_be_understood(client: Client, site: Site, change: dict[str, Any], word: str) -> None:
    request = body(site.put("/a.png", png(40, 60)), [click(30, 20, 60, 40)]) | change
    refused(client.post("/predict", json=request), 400, word)


def items(**changes: Any) -> dict[str, Any]:
    item = click(30, 20, 60, 40)
    value = item["value"] | {key: changes.pop(key) for key in ("x", "y") if key in changes}
    return item | {"value": value} | changes


BAD_ITEMS: dict[str, tuple[Any, str]] = {
    "text for x": (items(x="12"), "x"),
    "null x": (items(x=None), "geometry"),
    "no value": ({key: value for key, value in items().items() if key != "value"}, "value"),
    "original size 0": (items(original_width=0), "0 x 40"),
    "negative original size": (items(original_height=-3), "-3"),
    "original size absurd": (items(original_width=10**9, original_height=10**9), "SAMSERVE_MAX_MEGAPIXELS"),
    "unknown control": (items(from_name="nobody"), "'nobody'"),
    "unknown object": (items(to_name="nothing"), "'nothing'"),
    "item is a list": ([], "object"),
}


@pytest.mark.parametrize(("item", "word"), BAD_ITEMS.values(), ids=BAD_ITEMS.keys())
def test_an_item_that_makes_no_sense(client: Client, site: Site, item: Any, word: str) -> None:
    refused(client.post("/predict", json=body(site.put("/a.png", png(40, 60)), [item])), 400, word)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e999"])
def test_numbers_that_are_none(client: Client, site: Site, number: str) -> None:
    text = json.dumps(body(site.put("/a.png", png(40, 60)), [items(x=12345)])).replace("12345", number)
    refused(client.post("/predict", content=text.encode()), 400)


@pytest.mark.parametrize(("x", "y", "row", "column"), [(100.4, 50, 20, 59), (-0.3, -0.3, 0, 0), (100, 100, 39, 59)])
def test_clicks_a_little_outside_are_moved_to_the_edge(
    client: Client, site: Site, x: float, y: float, row: int, column: int
) -> None:
    answer = client.post("/predict", json=body(site.put("/a.png", png(40, 60)), [items(x=x, y=y)]))
    assert answered_mask(answer)[row, column]


@pytest.mark.parametrize("drawn", [click(70, 20, 60, 40), box(70, 5, 80, 20, 60, 40), box(5, -9, 20, -2, 60, 40)])
def test_what_lies_outside_of_the_image_is_refused(client: Client, site: Site, drawn: dict[str, Any]) -> None:
    answer = client.post("/predict", json=body(site.put("/a.png", png(40, 60)), [drawn]))
    refused(answer, 400, "lies outside of its image, which has 60 x 40 px")


def test_a_box_without_area_is_a_click(client: Client, site: Site) -> None:
    url = site.put("/a.png", png(40, 60))
    masks = [
        client.post("/predict", json=body(url, [drawn])).json()["results"][0]["result"][0]["value"]["rle"]
        for drawn in (box(30, 20, 30, 20, 60, 40), click(30, 20, 60, 40))
    ]
    assert masks[0] == masks[1]


def jpeg(quality: int = 90) -> bytes:
    buffer = io.BytesIO()
    Image.open(io.BytesIO(png(400, 600))).save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def bomb() -> bytes:
    """A PNG that announces 30,000 x 30,000 px."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", 30_000, 30_000, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(30_000)))


BAD_IMAGES: dict[str, tuple[int, bytes, int, str]] = {
    "not found": (404, b"gone", 502, "404"),
    "server error": (500, b"oops", 502, "500"),
    "neither": (200, b"12345", 422, "these 5 bytes are not an image of a known format; accepted are JPEG, PNG, WEBP"),
    "html": (200, b"<!doctype html><p>log in</p>", 422, "HTML"),
    "empty": (200, b"", 422, "empty"),
    "truncated": (200, jpeg()[:-2000], 422, "truncated"),
    "bomb": (200, bomb(), 422, "SAMSERVE_MAX_MEGAPIXELS"),
}


@pytest.mark.parametrize(("status", "content", "expected", "word"), BAD_IMAGES.values(), ids=BAD_IMAGES.keys())
def test_an_image_that_is_none(
    client: Client, site: Site, capfd: pytest.CaptureFixture[str], status: int, content: bytes, expected: int, word: str
) -> None:
    url = site.put("/bad?secret=1", content, status=status)
    refused(client.post("/predict", json=body(url, [click(30, 20, 60, 40)], task=77)), expected, word, "task 77: ")
    log = "".join(capfd.readouterr())
    assert word in log
    assert "secret" not in log


@pytest.mark.parametrize(
    ("image", "status", "word"),
    [
        ("http://127.0.0.1:9/a.png", 502, "127.0.0.1:9"),
        ("http://no-such-host.invalid/a.png", 502, "does not resolve"),
        ("http://10.1.2.3/a.png", 422, "SAMSERVE_ALLOW_HOSTS"),
        ("http://169.254.169.254/latest/meta-data", 422, "SAMSERVE_ALLOW_HOSTS"),
        ("file:///etc/passwd", 422, "LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT"),
        ("/etc/passwd", 422, "LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT"),
        ("ftp://host/key.png", 422, "expected an http"),
        ("s3://bucket/key.png", 502, "no source storage"),
        ("data:image/png;base64,@@@", 422, "base64"),
        ("data:image/png;base64", 422, "comma"),
        ("http://", 502, "http"),
    ],
)
def test_an_image_that_cannot_be_had(client: Client, image: str, status: int, word: str) -> None:
    refused(client.post("/predict", json=body(image, [click(30, 20, 60, 40)])), status, word)


def test_uploads_without_a_label_studio_name_the_settings(settings: Settings, tiny: SamModel) -> None:
    alone = msgspec.structs.replace(settings, label_studio_url="", label_studio_api_key="")
    with TestClient(create_app(alone, tiny)) as client:
        answer = client.post("/predict", json=body("/data/upload/1/a.png", [click(30, 20, 60, 40)]))
    refused(answer, 422, "LABEL_STUDIO_URL", "LABEL_STUDIO_API_KEY")


def test_more_clicks_than_the_server_takes_are_told_when_to_come_back(
    settings: Settings, tiny: SamModel, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.app._CLICKS_AT_ONCE", 0)
    with TestClient(create_app(settings, tiny)) as client:
        answer = client.post("/predict", json=body(site.put("/a.png", png(40, 60)), [click(30, 20, 60, 40)]))
    refused(answer, 503, "try again")
    assert int(answer.headers["Retry-After"]) >= 1


def test_a_bug_of_ours_shows_a_reference_and_logs_the_traceback(
    client: Client, site: Site, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("server.web.predict.gestures", lambda drawn: 1 / 0)
        answer = client.post("/predict", json=body(site.put("/a.png", png(40, 60)), [click(30, 20, 60, 40)]))
    refused(answer, 500, "reference=")
    assert "ZeroDivisionError" not in answer.text
    log = "".join(capfd.readouterr())
    assert "ZeroDivisionError" in log
    assert answer.json()["detail"].partition("reference=")[2] in log


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/nothing", 404), ("GET", "/predict", 405)])
def test_paths_and_methods_that_do_not_exist(client: Client, method: str, path: str, status: int) -> None:
    refused(client.request(method, path), status)


def test_a_source_that_never_answers_is_given_up(settings: Settings, tiny: SamModel) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/a.png"
        impatient = msgspec.structs.replace(settings, fetch_seconds=0.3)
        with TestClient(create_app(impatient, tiny)) as client:
            refused(client.post("/predict", json=body(url, [click(30, 20, 60, 40)])), 502, "0.3 s")
    assert threading.active_count() < 20


def test_a_webhook_of_over_8_mebibytes_is_refused_and_a_prediction_is_not(client: TestClient[Litestar]) -> None:
    fat = {"action": "TASKS_CREATED", "tasks": [], "filler": "x" * (8 << 20)}
    refused = client.post("/webhook", json=fat)
    assert refused.status_code == 413
    assert "larger than 8 MiB, the most that /webhook takes" in refused.json()["detail"]
    assert client.post("/predict", json=fat | {"tasks": [{"data": {}}]}).status_code == 200
