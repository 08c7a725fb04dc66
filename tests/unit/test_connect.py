"""`samserve connect`, against a Label Studio that remembers what it was told."""

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner

from server.cli import main
from server.errors import BadLabelConfig, ServerRefused, StudioRefused
from server.images.label_studio import LabelStudioAuth
from server.studio.api import StudioApi
from server.studio.connect import Connection, connect
from server.studio.patch import RECOMMENDED
from server.studio.served import Served
from tests.conftest import Site
from tests.studio import LEGACY_TOKEN

URL = "http://samserve:9090"
BARE = '<View><Image name="img" value="$pic"/></View>'


class Studio:
    """As much of Label Studio's API as was seen to be used, answering as version 1.23.2 did."""

    def __init__(self, label_config: str = BARE) -> None:
        self.projects: dict[int, dict[str, Any]] = {7: {"id": 7, "label_config": label_config}}
        self.backends: list[dict[str, Any]] = []
        self.hooks: list[dict[str, Any]] = []
        self.uploads: list[bytes] = []
        self.refusal: tuple[int, Any] | None = None
        self.serves: tuple[int, Any] | None = (200, {"model_version": "tiny-1"})
        self.api = StudioApi("http://studio:8080/", httpx.BasicAuth("a", "b"), httpx.MockTransport(self._answer))
        self.said: list[str] = []

    def connect(self, *, agree: bool = True, **connection: Any) -> None:
        wanted = Connection(**({"url": URL} | connection))
        served = Served(wanted.url, transport=httpx.MockTransport(self._serve))
        asyncio.run(connect(self.api, served, 7, wanted, self.said.append, lambda _: agree))

    def _serve(self, request: httpx.Request) -> httpx.Response:
        """What samserve itself answers."""
        if self.serves is None:
            raise httpx.ConnectError("Connection refused")
        return httpx.Response(self.serves[0], json=self.serves[1])

    def put_backend(self, url: str, **more: Any) -> None:
        """Connects a model, and makes its webhook as Label Studio does of itself."""
        number = len(self.backends) + 1
        self.backends.append({"id": number, "url": url, "state": "CO", "model_version": "v1"} | more)
        self.hooks.append({"id": number, "url": url.rstrip("/") + "/webhook"})

    def _answer(self, request: httpx.Request) -> httpx.Response:
        if self.refusal:
            return httpx.Response(self.refusal[0], json=self.refusal[1])
        path = request.url.path.strip("/").split("/")[1:]
        if request.method == "DELETE":
            kept = {"ml": self.backends, "webhooks": self.hooks}[path[0]]
            kept[:] = [one for one in kept if one["id"] != int(path[1])]
            return httpx.Response(204)
        if request.method == "GET":
            return httpx.Response(200, json=self._read(path))
        given = json.loads(request.content) if request.content.startswith(b"{") else {}
        return httpx.Response(200, json=self._write(request.method, path, given, request.content))

    def _read(self, path: list[str]) -> Any:
        return {"ml": self.backends, "webhooks": self.hooks}.get(path[0]) if len(path) == 1 else self.projects[7]

    def _write(self, method: str, path: list[str], given: dict[str, Any], content: bytes) -> Any:
        match method, path:
            case "PATCH", ["projects", "7"]:
                self.projects[7] |= given
            case "POST", ["projects"]:
                self.projects[8] = given | {"id": 8}
                return self.projects[8]
            case "POST", ["projects", "8", "import"]:
                self.uploads.append(content)
            case "POST", ["ml"]:
                self.put_backend(**given)
            case "PATCH", ["ml", number]:
                next(known for known in self.backends if known["id"] == int(number)).update(given, state="CO")
            case "POST", ["webhooks"]:
                self.hooks.append(given)
            case unknown:
                raise AssertionError(unknown)
        return {}


def test_a_project_gets_the_tools_the_model_and_the_webhook() -> None:
    studio = Studio()
    studio.connect(user="me", password="secret", extra_params={"output": "polygon"})
    assert "KeyPointLabels" in studio.projects[7]["label_config"]
    (backend,) = studio.backends
    assert (backend["url"], backend["is_interactive"], backend["project"]) == (URL, True, 7)
    assert (backend["auth_method"], backend["basic_auth_user"], backend["basic_auth_pass"]) == (
        "BASIC_AUTH",
        "me",
        "secret",
    )
    assert backend["extra_params"] == {"output": "polygon"}
    assert [hook["url"] for hook in studio.hooks] == [f"{URL}/webhook"]
    assert any("+  <KeyPointLabels" in line for line in studio.said)
    assert not any("secret" in line for line in studio.said)


def test_doing_it_again_adds_nothing_and_keeps_what_was_set() -> None:
    studio = Studio()
    studio.connect(extra_params={"output": "polygon"})
    config = studio.projects[7]["label_config"]
    studio.backends[0]["title"] = "My SAM"
    studio.connect(url=URL + "/")
    assert (len(studio.backends), len(studio.hooks)) == (1, 1)
    assert studio.backends[0]["extra_params"] == {"output": "polygon"}
    assert studio.backends[0]["title"] == "My SAM"
    assert studio.projects[7]["label_config"] == config


def test_a_webhook_that_was_removed_is_added_again() -> None:
    studio = Studio()
    studio.connect()
    studio.hooks.clear()
    studio.connect()
    assert studio.hooks == [
        {
            "project": 7,
            "url": f"{URL}/webhook",
            "send_payload": True,
            "send_for_all_actions": True,
            "is_active": True,
        }
    ]


OLD = "http://samserve:9000"


@pytest.mark.parametrize("own", [{"title": "samserve"}, {"title": "My SAM", "model_version": "tiny-1"}])
def test_a_dead_connection_of_samserves_own_is_moved_to_the_new_address(own: dict[str, Any]) -> None:
    studio = Studio()
    studio.put_backend(OLD, is_interactive=True, state="DI", extra_params={"output": "polygon"}, **own)
    studio.connect()
    (backend,) = studio.backends
    assert (backend["id"], backend["url"], backend["title"]) == (1, URL, own["title"])
    assert backend["extra_params"] == {"output": "polygon"}
    assert [hook["url"] for hook in studio.hooks] == [f"{URL}/webhook"]
    assert f"-  {OLD} ({own['title']}), where nobody answers\n+  {URL}" in studio.said


def test_a_dead_connection_before_the_one_to_this_address_goes() -> None:
    studio = Studio()
    for url, state in ((OLD, "DI"), (URL, "CO")):
        studio.put_backend(url, is_interactive=True, state=state, title="samserve")
    studio.connect()
    assert [(backend["id"], backend["url"]) for backend in studio.backends] == [(2, URL)]
    assert [hook["url"] for hook in studio.hooks] == [f"{URL}/webhook"]


def test_without_consent_a_dead_connection_stays_and_the_remedy_is_told() -> None:
    studio = Studio(RECOMMENDED)
    studio.put_backend(OLD, is_interactive=True, state="DI", title="samserve")
    studio.connect(agree=False)
    assert [backend["url"] for backend in studio.backends] == [OLD, URL]
    assert f"smart tools call {OLD} (samserve), the first interactive model" in studio.said[-1]
    assert "Project settings" in studio.said[-1]


@pytest.mark.parametrize("other", [{"title": "samserve", "state": "CO"}, {"title": "theirs", "state": "DI"}])
def test_a_connection_that_is_alive_or_not_samserves_is_never_replaced(other: dict[str, Any]) -> None:
    studio = Studio()
    studio.put_backend(OLD, is_interactive=True, **other)
    studio.connect()
    assert [backend["url"] for backend in studio.backends] == [OLD, URL]
    assert "switch off its Interactive preannotations" in studio.said[-1]


BOX = '<RectangleLabels name="b" toName="img"><Label value="A"/></RectangleLabels>'
BOXES = BARE.replace("</View>", f"{BOX}</View>")


def test_without_consent_the_labeling_config_stays_and_smart_tools_that_are_there_are_connected() -> None:
    studio = Studio(BOXES)
    studio.connect(agree=False)
    assert studio.projects[7]["label_config"] == BOXES
    assert len(studio.backends) == 1


@pytest.mark.parametrize(
    ("config", "told"),
    [
        (BARE, "without a smart key point or rectangle tool and a control for mask answers"),
        (BARE.replace("</View>", '<KeyPoint name="k" toName="img"/></View>'), "without a control for mask answers"),
        (
            BARE.replace("</View>", '<Brush name="m" toName="img"/></View>'),
            "smart key point or rectangle tool,",
        ),
    ],
)
def test_without_consent_and_without_smart_tools_nothing_is_connected(config: str, told: str) -> None:
    studio = Studio(config)
    with pytest.raises(BadLabelConfig, match=told):
        studio.connect(agree=False)
    assert not studio.backends


@pytest.mark.parametrize(
    ("refusal", "told"),
    [
        ((401, {"detail": "no"}), "personal access token"),
        ((404, {"detail": "No Project matches"}), "404: No Project matches"),
        ((400, {"validation_errors": {"url": ["is <a href='x'>wrong</a>"]}}), "400: url: is wrong"),
        ((502, "busy"), "502: busy"),
    ],
)
def test_label_studios_reason_is_told(refusal: tuple[int, Any], told: str) -> None:
    studio = Studio()
    studio.refusal = refusal
    with pytest.raises(StudioRefused, match=told):
        studio.connect()


def test_a_page_that_is_no_json_is_no_label_studio() -> None:
    page = httpx.MockTransport(lambda _: httpx.Response(200, text="<html>Welcome</html>"))
    api = StudioApi("http://elsewhere", httpx.BasicAuth("a", "b"), page)
    with pytest.raises(StudioRefused, match="is this Label Studio"):
        asyncio.run(api.user())


def test_a_project_of_boxes_is_told_that_masks_will_be_the_answer() -> None:
    studio = Studio(BOXES)
    studio.connect()
    assert "BitmaskLabels" in studio.projects[7]["label_config"]
    assert any("""--options '{"output": "rectangle"}'""" in line for line in studio.said)


def test_a_project_whose_output_is_forced_gets_no_other() -> None:
    studio = Studio(BOXES)
    studio.connect(extra_params={"output": "rectangle"})
    assert "BitmaskLabels" not in studio.projects[7]["label_config"]
    studio.connect()
    assert "BitmaskLabels" not in studio.projects[7]["label_config"]
    assert not any("masks will be the answer" in line for line in studio.said)


class Refusing(Studio):
    """Connects nothing, for a reason."""

    reason = ""

    def _answer(self, request: httpx.Request) -> httpx.Response:
        if request.method == "POST" and request.url.path == "/api/ml":
            return httpx.Response(400, json={"non_field_errors": [self.reason]})
        return super()._answer(request)


@pytest.mark.parametrize(
    ("url", "reason", "told"),
    [
        ("http://10.0.0.1:9090", "URL resolves to a reserved network address", "ML_BLOCK_LOCAL_IP=false"),
        ("http://localhost:9090", "Can't connect to ML backend", "that container"),
        ("http://local-box:9090", "Can't connect to ML backend http://local-box:9090", "what is between"),
    ],
)
def test_a_connection_that_fails_names_the_likely_way_out(url: str, reason: str, told: str) -> None:
    studio = Refusing()
    studio.reason = reason
    with pytest.raises(StudioRefused, match=told):
        studio.connect(url=url)


def test_where_nothing_listens_neither_blocked_addresses_nor_containers_are_to_blame() -> None:
    studio = Refusing()
    studio.serves, studio.reason = None, "Can't connect to ML backend http://localhost:9090, health check failed"
    with pytest.raises(StudioRefused, match="Is samserve running") as caught:
        studio.connect(url="http://localhost:9090")
    assert "Connection refused" in str(caught.value)
    assert "ML_BLOCK_LOCAL_IP" not in str(caught.value)
    assert "container" not in str(caught.value)


@pytest.mark.parametrize("detail", ["output is 'polygon', but ...", "wrong or no user name and password"])
def test_what_samserve_itself_refuses_is_told_in_its_words_before_anything_is_changed(detail: str) -> None:
    studio = Studio()
    studio.serves = 400, {"detail": detail}
    with pytest.raises(ServerRefused, match=detail):
        studio.connect()
    assert studio.projects[7]["label_config"] == BARE
    assert not studio.backends


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "--project NUMBER or --create TITLE"),
        (["--project", "1", "--create", "x"], "--project NUMBER or --create TITLE"),
        (["--project", "1", "--images", "."], "--images goes with --create"),
        (["--project", "1", "--options", "[]"], "expected a JSON object"),
        (["--project", "1", "--options", '{"outputs": 1}'], "did you mean 'output'"),
        (["--create", "x", "--images", "."], "no images in ."),
        (["--project", "1"], "set LABEL_STUDIO_URL"),
    ],
)
def test_a_command_that_makes_no_sense_says_what_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], told: str
) -> None:
    monkeypatch.chdir(tmp_path)
    unset = dict.fromkeys(
        ("LABEL_STUDIO_URL", "LABEL_STUDIO_HOST", "LABEL_STUDIO_API_KEY", "LABEL_STUDIO_ACCESS_TOKEN"), None
    )
    done = CliRunner(env=unset).invoke(main, ["connect", *arguments])
    assert done.exit_code != 0
    assert told in done.output


def test_a_label_studio_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    env = {"LABEL_STUDIO_URL": "http://127.0.0.1:1", "LABEL_STUDIO_API_KEY": "k"}
    done = CliRunner(env=env).invoke(main, ["connect", "--project", "1"])
    assert done.exit_code == 1
    assert "http://127.0.0.1:1/api/current-user/whoami: Label Studio cannot be reached" in done.output


def test_neither_a_token_with_a_line_break_nor_a_password_in_the_url_is_in_the_message(site: Site) -> None:
    url = site.url.replace("://", "://ann:pa55@")
    api = StudioApi(url, LabelStudioAuth(url, f"{LEGACY_TOKEN}\n"))
    with pytest.raises(StudioRefused, match="line break in LABEL_STUDIO_API_KEY") as caught:
        asyncio.run(api.user())
    assert LEGACY_TOKEN not in str(caught.value)
    assert "pa55" not in str(caught.value)
