"""Images are encoded before anyone clicks on them."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import pytest
from litestar import Litestar
from litestar.testing import TestClient
from structlog.testing import capture_logs

from server.app import create_app
from server.settings import Settings
from tests.conftest import Site, png, recorded
from tests.held import HeldModel
from tests.studio import CONFIG, body, click
from tests.waiting import eventually

Client = TestClient[Litestar]
PAGES = '<View><Image name="image" valueList="$pages"/></View>'
PAIR = CONFIG.replace("<View>", '<View><Image name="other" value="$other"/>')
LOGIN = "Basic YW5uOnB3"  # ann, pw
PROJECT = {"id": 1, "label_config": CONFIG}


@pytest.fixture
def client(settings: Settings, held: HeldModel) -> Iterator[Client]:
    with TestClient(
        create_app(msgspec.structs.replace(settings, look_ahead=2, allow_hosts=("127.0.0.1", "localhost")), held)
    ) as client:
        yield client
        held.go.set()


def failures(logs: list[Any]) -> list[str]:
    """The levels at which it was logged that Label Studio could not be asked."""
    return [line["log_level"] for line in logs if line["event"] == "cannot_ask_for_next_tasks"]


def open_task(
    client: Client, *images: Any, config: str | None = CONFIG, field: str = "image", task: int = 1, **login: str
) -> None:
    tasks = [{"id": task + number, "data": {field: image}} for number, image in enumerate(images)]
    request = {"tasks": tasks, "project": "1.17", "label_config": config, "params": login | {"context": None}}
    answer = client.post("/predict", json=request)
    assert (answer.status_code, answer.json()) == (200, {"results": []})


def click_on(client: Client, url: str, height: int, task: int = 1) -> None:
    answer = client.post("/predict", json=body(url, [click(30, height / 2, 60, height)], task=task))
    assert answer.status_code == 200, answer.text
    assert answer.json()["results"][0]["result"]


def log_in(client: Client, task: int = 1) -> None:
    """Label Studio tells the login of project 1, with a task that shows nothing."""
    open_task(client, "", task=task, login="ann", password="pw")


def elsewhere(url: str) -> str:
    """The URL by another name than Label Studio's, to which the project's login goes."""
    return url.replace("127.0.0.1", "localhost")


def sent(site: Site, *paths: str) -> list[str | None]:
    """What the requests for these paths were signed with."""
    return [signature for path, signature in site.requests if path in paths]


def tell(client: Client, action: str, **more: Any) -> None:
    answer = client.post("/webhook", json={"action": action} | more)
    assert (answer.status_code, answer.json()) == (200, {})


def asked_for(site: Site, height: int) -> bool:
    """Whether the picture was fetched."""
    return f"/{height}.png" in [path for path, _ in site.requests]


def encoded(held: HeldModel, *heights: int) -> bool:
    """Whether these are encoded soon, and no others before or between them."""
    return eventually(lambda: held.begun == list(heights))


def test_an_opened_task_is_answered_at_once_and_its_first_click_encodes_nothing(
    client: Client, site: Site, held: HeldModel
) -> None:
    held.go.clear()
    url = site.picture(40)
    open_task(client, url)
    assert encoded(held, 40)
    held.go.set()
    click_on(client, url, 40)
    assert held.begun == [40]
    assert [path for path, _ in site.requests if path.endswith(".png")] == ["/40.png"]


def test_a_click_overtakes_what_is_precomputed(client: Client, site: Site, held: HeldModel) -> None:
    held.go.clear()
    open_task(client, site.picture(40))
    assert encoded(held, 40)
    open_task(client, *(site.picture(height) for height in range(50, 60)), task=10)
    assert eventually(lambda: asked_for(site, 51))
    with ThreadPoolExecutor(1) as pool:
        clicked = pool.submit(click_on, client, site.picture(41), 41, 3)
        assert eventually(lambda: asked_for(site, 41))
        assert not eventually(clicked.done, 0.1)
        held.go.set()
        clicked.result(10)
    assert held.begun[:2] == [40, 41]
    assert eventually(lambda: sorted(held.begun) == [40, 41, *range(50, 60)])


def test_predictions_for_many_tasks_are_queued_in_order(client: Client, site: Site, held: HeldModel) -> None:
    open_task(client, *(site.picture(height) for height in range(40, 70)))
    assert eventually(lambda: len(held.begun) == 30)
    assert sorted(held.begun) == list(range(40, 70))


def test_all_images_of_an_opened_task_are_encoded_the_first_ones_first(
    client: Client, site: Site, held: HeldModel
) -> None:
    open_task(client, [site.picture(height) for height in (44, 41, 43, 42)], config=PAGES, field="pages")
    assert eventually(lambda: len(held.begun) == 4)
    assert held.begun[0] in (44, 41, 43)  # three are fetched at once


@pytest.mark.parametrize(
    ("image", "config"),
    [(None, CONFIG), (7, CONFIG), ("/a.png", None), ("/a.png", "<View><Image"), ("", "<View/>"), ("ftp://x/a", CONFIG)],
)
def test_an_opened_task_without_a_usable_image_is_no_error(
    client: Client, site: Site, held: HeldModel, image: Any, config: str | None
) -> None:
    open_task(client, image, config=config)
    open_task(client, site.picture(40))
    assert encoded(held, 40)


def test_an_image_that_cannot_be_had_is_logged_and_the_click_says_why(client: Client, site: Site) -> None:
    with capture_logs() as logs:
        open_task(client, site.url + "/missing.png", task=77)
        assert eventually(lambda: any(line["event"] == "not_precomputed" for line in logs))
    (line,) = [line for line in logs if line["event"] == "not_precomputed"]
    assert line["task"] == "77"
    assert "404" in line["reason"]
    answer = client.post("/predict", json=body(site.url + "/missing.png", [click(30, 20, 60, 40)], task=77))
    assert answer.status_code == 502


def test_new_tasks_are_encoded(client: Client, site: Site, held: HeldModel) -> None:
    site.put("/data/upload/2/59ffb85e-img.jpg", png(600, 800))
    site.studio.put(2, 3, image="/data/upload/2/59ffb85e-img.jpg")
    request = json.loads(recorded("webhook_TASKS_CREATED").read_bytes())["body"]
    assert client.post("/webhook", json=request).json() == {}
    assert encoded(held, 600)


def test_new_tasks_that_are_told_by_their_ids_are_asked_for(client: Client, site: Site, held: HeldModel) -> None:
    for number in range(130):
        site.studio.put(1, number, image=site.picture(40))
    site.studio.put(1, 200, image=site.picture(41))
    site.studio.put(2, 201, image=site.picture(42))
    tell(client, "TASKS_CREATED", tasks=[{"id": n} for n in (*range(130), 200, 201, 999)], project=PROJECT)
    assert encoded(held, 40, 41)
    assert [len(asked["query"]["selectedItems"]["included"]) for asked in site.studio.asked] == [100, 33]


def test_new_tasks_are_read_with_the_config_that_was_seen_last(client: Client, site: Site, held: HeldModel) -> None:
    client.post("/setup", json={"project": "1.17", "schema": CONFIG})
    site.studio.put(1, 5, image=site.picture(40))
    site.studio.put(1, 6, image=site.picture(41), photo=site.picture(42))
    tell(client, "TASKS_CREATED", tasks=[{"id": 5}], project={"id": 1})
    assert encoded(held, 40)
    tell(client, "PROJECT_UPDATED", project={"id": 1, "label_config": CONFIG.replace("$image", "$photo")})
    tell(client, "TASKS_CREATED", tasks=[{"id": 6}], project={"id": 1})
    assert encoded(held, 40, 42)


def test_new_tasks_show_what_label_studio_says_and_not_what_the_webhook_says(
    client: Client, site: Site, held: HeldModel
) -> None:
    log_in(client, task=6)  # so that no task follows it
    site.studio.put(1, 5, image=elsewhere(site.picture(40)))
    tell(client, "TASKS_CREATED", tasks=[{"id": 5, "data": {"image": elsewhere(site.picture(41))}}], project=PROJECT)
    assert encoded(held, 40)
    assert sent(site, "/40.png", "/41.png") == [LOGIN]


def test_a_stranger_who_tells_a_new_task_does_not_get_the_login_of_its_project(
    settings: Settings, site: Site, held: HeldModel
) -> None:
    with TestClient(
        create_app(msgspec.structs.replace(settings, label_studio_api_key="", allow_hosts=("localhost",)), held)
    ) as client:
        open_task(client, elsewhere(site.picture(40)), login="ann", password="pw")
        assert encoded(held, 40)
        images = [""] * 250 + [elsewhere(site.picture(41))]  # the last of many
        tasks = [{"id": number, "data": {"image": image}} for number, image in enumerate(images, 5)]
        tell(client, "TASKS_CREATED", tasks=tasks, project=PROJECT)
        assert encoded(held, 40, 41)
    assert sent(site, "/40.png", "/41.png") == [LOGIN, None]


def test_a_stranger_who_tells_a_labeling_config_does_not_get_the_login_of_its_project(
    client: Client, site: Site, held: HeldModel
) -> None:
    log_in(client)
    site.studio.put(1, 5, image="x")
    stolen = CONFIG.replace("$image", elsewhere(site.picture(41)))
    tell(client, "TASKS_CREATED", tasks=[{"id": 5}], project={"id": 1, "label_config": stolen})
    assert encoded(held, 41)
    assert set(sent(site, "/41.png")) == {None}  # asked for twice: it follows the task that was opened


def test_a_strangers_click_that_overlaps_label_studios_requests_does_not_get_their_login(
    client: Client, site: Site, held: HeldModel
) -> None:
    """The other image of its task is fetched once it is answered."""
    held.go.clear()
    clicked = body(site.picture(40), [click(30, 20, 60, 40)], config=PAIR, task=7)
    clicked["tasks"][0]["data"]["other"] = elsewhere(site.picture(41))
    with ThreadPoolExecutor(1) as stranger:
        answer = stranger.submit(client.post, "/predict", json=clicked)
        assert encoded(held, 40)
        open_task(client, "", config=PAIR, login="ann", password="pw")
        held.go.set()
        assert answer.result().status_code == 200
    assert encoded(held, 40, 41)
    assert sent(site, "/41.png") == [None]


def test_a_click_of_label_studios_does_not_take_its_login_to_what_a_stranger_says_meanwhile(
    client: Client, site: Site, held: HeldModel
) -> None:
    held.go.clear()
    stolen = CONFIG.replace("$image", elsewhere(site.picture(41)))
    clicked = body(site.picture(40), [click(30, 20, 60, 40)], task=7)
    clicked["params"] |= {"login": "ann", "password": "pw"}
    with ThreadPoolExecutor(1) as label_studio:
        answer = label_studio.submit(client.post, "/predict", json=clicked)
        assert encoded(held, 40)
        tell(client, "PROJECT_UPDATED", project={"id": 1, "label_config": stolen})
        held.go.set()
        assert answer.result().status_code == 200
    open_task(client, site.picture(42))
    assert encoded(held, 40, 42)
    assert sent(site, "/41.png") == []


def test_deleted_tasks_are_forgotten(client: Client, site: Site, held: HeldModel) -> None:
    held.go.clear()
    open_task(client, site.picture(40))
    assert encoded(held, 40)
    for number in range(50, 56):
        site.studio.put(1, number, image=site.picture(number))
    tell(client, "TASKS_CREATED", tasks=[{"id": n} for n in range(50, 56)], project=PROJECT)
    assert eventually(lambda: asked_for(site, 51))
    tell(client, "TASKS_DELETED", tasks=[{"id": n} for n in range(50, 55)], project=PROJECT)
    held.go.set()
    assert encoded(held, 40, 55)


@pytest.mark.parametrize("action", ["TASKS_CREATED", "TASKS_DELETED", "PROJECT_UPDATED", "TASKS_EATEN"])
@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"tasks": None, "project": None},
        {"tasks": [], "project": {}},
        {"tasks": [{}], "project": 7},
        {"tasks": [{"id": None}], "project": PROJECT},
        {"tasks": [{"id": "x"}], "project": PROJECT},
        {"tasks": [{"id": 5}], "project": {"id": "7" * 101, "label_config": CONFIG}},
        {"tasks": [{"id": "9" * 5000}, {"id": 10**20}], "project": PROJECT},
        {"tasks": {"id": 5}, "project": PROJECT},
        {"tasks": [{"id": 5, "data": []}], "project": PROJECT},
        {"tasks": [{"id": 5, "data": {"image": 7}}], "project": {"id": 1, "label_config": "<View"}},
    ],
)
def test_a_webhook_that_is_not_understood_is_no_error(client: Client, action: str, payload: dict[str, Any]) -> None:
    tell(client, action, **payload)


def test_the_next_tasks_are_encoded_while_one_is_labelled(client: Client, site: Site, held: HeldModel) -> None:
    for number in (3, 5, 9, 12):
        site.studio.put(1, number, image=site.picture(40 + number))
    site.studio.put(2, 4, image=site.picture(99))
    open_task(client, site.picture(43), task=3)
    assert eventually(lambda: sorted(held.begun) == [43, 45, 49])
    for _ in range(5):
        click_on(client, site.picture(43), 43, task=3)
    assert len(site.studio.asked) == 1
    click_on(client, site.picture(45), 45, task=5)
    assert eventually(lambda: sorted(held.begun) == [43, 45, 49, 52])
    assert [asked["resolve_uri"] for asked in site.studio.asked] == ["false", "false"]


@pytest.mark.parametrize("broken", ["refuses", "answers no list"])
def test_a_label_studio_that_cannot_be_asked_is_warned_about_once_and_no_click_suffers(
    client: Client, site: Site, held: HeldModel, broken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if broken == "refuses":
        site.studio.status = 500
    else:
        monkeypatch.setattr(site.studio, "answer", lambda path: (200, "text/html", b"<html>log in</html>"))
    with capture_logs() as logs:
        open_task(client, site.picture(45), task=5)
        for number in (1, 2, 3):
            click_on(client, site.picture(40 + number), 40 + number, task=number)
        assert eventually(lambda: len(failures(logs)) == 4)
    assert failures(logs) == ["warning", "debug", "debug", "debug"]
    assert eventually(lambda: sorted(held.begun) == [41, 42, 43, 45])


def test_without_a_token_the_next_tasks_are_those_that_were_seen(
    settings: Settings, site: Site, held: HeldModel
) -> None:
    with TestClient(
        create_app(msgspec.structs.replace(settings, look_ahead=2, label_studio_api_key=""), held)
    ) as client:
        held.go.clear()
        open_task(client, site.picture(40), task=1)
        open_task(client, *(site.picture(height) for height in range(50, 56)), task=10)
        assert eventually(lambda: asked_for(site, 51))
        open_task(client, site.picture(60), task=12)  # another image than it had
        held.go.set()
        assert eventually(lambda: len(held.begun) == 8)
    assert held.begun.index(53) < held.begun.index(52)
    assert held.begun.index(54) < held.begun.index(52)
    assert site.studio.asked == []


def test_looking_ahead_can_be_switched_off(settings: Settings, site: Site, held: HeldModel) -> None:
    site.studio.put(1, 2, image=site.picture(42))
    with TestClient(create_app(msgspec.structs.replace(settings, look_ahead=0), held)) as client:
        click_on(client, site.picture(41), 41)
        open_task(client, site.picture(41))
    assert held.begun == [41]
    assert site.studio.asked == []


def test_a_server_that_stops_encodes_nothing_more(
    settings: Settings, site: Site, held: HeldModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    end = ThreadPoolExecutor.shutdown

    def ended(threads: ThreadPoolExecutor, *how: bool, **more: bool) -> None:
        held.go.set()  # it waits for what is encoded
        end(threads, *how, **more)

    held.go.clear()
    with TestClient(create_app(settings, held)) as client:
        open_task(client, *(site.picture(height) for height in range(40, 60)))
        assert eventually(lambda: asked_for(site, 41) and len(held.begun) == 1)
        monkeypatch.setattr(ThreadPoolExecutor, "shutdown", ended)
    assert len(held.begun) == 1
