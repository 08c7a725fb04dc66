"""The doctor's click goes through Label Studio and the running server, and tells why the server refuses it."""

import asyncio
import json
from typing import Any

import httpx
import msgspec
import pytest

from server.app import create_app
from server.core.geometry import ImageSize
from server.core.labelconfig import parse_label_config
from server.core.reference import ImageReference
from server.doctor.chart import Chart, Finding, StepFailed
from server.doctor.click import AskDirectly, examine_click
from server.doctor.studio import Patient
from server.doctor_cli import served_by
from server.runtime.model import SamModel
from server.settings import Settings
from server.studio.api import StudioApi
from server.studio.served import Served
from tests.conftest import Site, png
from tests.loopback import free_port
from tests.running import running
from tests.studio import CONFIG

BOXES = """<View><Image name="image" value="$image"/>
  <RectangleLabels name="rect" toName="image" smart="true"><Label value="A"/></RectangleLabels></View>"""


def patient(image: str, url: str, config: str = CONFIG, **backend: Any) -> Patient:
    """What Label Studio tells of a task whose project is connected to the model at `url`."""
    project = {"id": 7, "created_at": "2026-11-24T19:33:44.327401Z", "label_config": config}
    task = {"id": 3, "project": 7, "data": {"image": image}}
    reference = ImageReference(image, "3")
    return Patient(reference, parse_label_config(config), project, task, {"id": 5, "url": url} | backend)


def passed_on(examined: Patient) -> httpx.MockTransport:
    """Label Studio, which sends a click on to the model, and hides why that refuses it, as version 1.23.2 does."""

    def answer(request: httpx.Request) -> httpx.Response:
        assert request.url.path == "/api/ml/5/interactive-annotating"
        given = json.loads(request.content)
        assert given["task"] == 3
        body = {"tasks": [examined.task], "project": "7.1", "label_config": examined.project["label_config"]}
        url = examined.backend["url"] + "/predict"
        try:
            told = httpx.post(url, json=body | {"params": {"context": given["context"]}}, trust_env=False)
        except httpx.HTTPError:
            return httpx.Response(200, json={"errors": ["Connection refused"]})
        if told.is_success:
            return httpx.Response(200, json={"data": told.json()["results"][0]})
        return httpx.Response(200, json={"errors": [f"{told.status_code} Client Error for url: {url}"]})

    return httpx.MockTransport(answer)


def click(examined: Patient, directly: AskDirectly | None = None) -> Finding:
    """What the step finds, for an image of 60 x 40 px."""
    chart = Chart(lambda _: None)
    api = StudioApi("http://studio:8080", httpx.BasicAuth("a", "b"), passed_on(examined))
    try:
        asyncio.run(examine_click(chart, api, examined, ImageSize(40, 60), directly))
    except StepFailed:
        assert not chart.is_healthy
    (finding,) = chart.findings
    return finding


def directly(backend: dict[str, Any]) -> Served:
    return Served(backend["url"])


@pytest.mark.parametrize("config", [CONFIG, BOXES])
def test_a_click_or_box_that_is_answered_is_well(site: Site, settings: Settings, tiny: SamModel, config: str) -> None:
    with running(create_app(settings, tiny)) as port:
        found = click(patient(site.put("/a.png", png(40, 60)), f"http://127.0.0.1:{port}", config))
    assert (found.step, found.state) == ("click", "ok"), found
    assert "answers 1 region" in found.seen


def test_a_server_without_label_studio_is_told_apart_from_a_command_that_has_it(
    settings: Settings, tiny: SamModel
) -> None:
    bare = msgspec.structs.replace(settings, label_studio_url="", label_studio_api_key="")
    with running(create_app(bare, tiny)) as port:
        found = click(patient("/data/upload/7/a.png", f"http://127.0.0.1:{port}"), directly)
    assert found.state == "failed"
    assert "is kept by Label Studio: set LABEL_STUDIO_URL" in found.seen
    assert "restart samserve with LABEL_STUDIO_URL=http://studio:8080 and LABEL_STUDIO_API_KEY" in found.seen


def test_another_reason_of_the_servers_is_shown_as_it_is(site: Site, settings: Settings, tiny: SamModel) -> None:
    with running(create_app(settings, tiny)) as port:
        found = click(patient(site.url + "/gone.png", f"http://127.0.0.1:{port}"), directly)
    assert "404" in found.seen
    assert "restart" not in found.seen


def test_a_server_that_is_gone_is_told(settings: Settings) -> None:
    found = click(patient("x.png", f"http://127.0.0.1:{free_port()}"), directly)
    assert "Asked directly from here: no samserve answers at http://127.0.0.1" in found.seen


@pytest.mark.parametrize(("user", "is_let_in"), [("me", True), ("someone", False)])
def test_our_password_goes_only_where_label_studio_sends_that_users(
    settings: Settings, tiny: SamModel, user: str, *, is_let_in: bool
) -> None:
    ours = msgspec.structs.replace(settings, basic_auth_user="me", basic_auth_pass="secret")
    with running(create_app(ours, tiny)) as port:
        examined = patient("x.png", f"http://127.0.0.1:{port}", basic_auth_user=user)
        found = click(examined, lambda backend: served_by(ours, backend))
    assert ("wrong or no user name and password" in found.seen) is not is_let_in
    assert "secret" not in found.seen
