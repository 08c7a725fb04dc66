"""Who may call a server that has a password."""

import base64
from collections.abc import Iterator

import msgspec
import pytest
from litestar import Litestar
from litestar.testing import TestClient

from server.app import create_app
from server.environment import read_settings
from server.errors import BadSettings
from server.runtime.model import SamModel
from server.settings import Settings

Client = TestClient[Litestar]
ENDPOINTS = [("GET", "/"), ("GET", "/health"), ("POST", "/setup"), ("POST", "/predict"), ("GET", "/versions")]


@pytest.fixture
def guarded(settings: Settings, tiny: SamModel) -> Iterator[Client]:
    locked = msgspec.structs.replace(settings, basic_auth_user="åsa", basic_auth_pass="sé:cret")
    with TestClient(create_app(locked, tiny)) as client:
        yield client


def basic(credentials: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(credentials.encode()).decode()}


@pytest.mark.parametrize(("method", "path"), [*ENDPOINTS, ("GET", "/metrics")])
def test_without_the_password_nothing_but_the_way_in_is_told(guarded: Client, method: str, path: str) -> None:
    answer = guarded.request(method, path, content=b"{}")
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Basic ")
    assert "BASIC_AUTH_USER" in answer.json()["detail"]
    assert "cret" not in answer.text


@pytest.mark.parametrize(("method", "path"), ENDPOINTS)
def test_with_it_all_endpoints_answer(guarded: Client, method: str, path: str) -> None:
    body = b'{"tasks": [{"data": {}}]}'
    assert guarded.request(method, path, content=body, headers=basic("åsa:sé:cret")).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        basic("åsa:wrong"),
        basic("other:sé:cret"),
        basic(""),
        {"Authorization": "Basic !!!"},
        {"Authorization": "Basic"},
        {"Authorization": "Bearer " + base64.b64encode("åsa:sé:cret".encode()).decode()},
    ],
    ids=str,
)
def test_anything_else_is_refused(guarded: Client, headers: dict[str, str]) -> None:
    assert guarded.get("/health", headers=headers).status_code == 401


def test_label_studios_webhooks_carry_no_credentials_and_are_taken(guarded: Client) -> None:
    assert guarded.post("/webhook", json={"action": "TASKS_CREATED"}).status_code == 200


def test_a_server_without_a_password_asks_for_none(client: Client) -> None:
    assert client.get("/health").status_code == 200


@pytest.mark.parametrize("given", [{"BASIC_AUTH_USER": "a"}, {"BASIC_AUTH_PASS": "b"}], ids=str)
def test_half_a_login_stops_the_start(given: dict[str, str]) -> None:
    with pytest.raises(BadSettings, match="go together"):
        read_settings(given)


def test_the_password_is_not_in_what_settings_show() -> None:
    assert "secret" not in repr(read_settings({"BASIC_AUTH_USER": "a", "BASIC_AUTH_PASS": "secret"}))


def test_a_diagnosis_is_for_those_who_have_the_password(guarded: Client, client: Client) -> None:
    assert guarded.get("/diagnose?task=3").status_code == 401
    findings = guarded.get("/diagnose?task=3", headers=basic("åsa:sé:cret"))
    assert findings.status_code == 200
    assert (findings.json()[0]["step"], findings.json()[0]["state"]) == ("token", "failed")
    refused = client.get("/diagnose?task=3")
    assert refused.status_code == 403
    assert "BASIC_AUTH_USER" in refused.json()["detail"]
