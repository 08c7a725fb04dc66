"""The playground's routes: who gets it, from where, and what it may load."""

import re

import msgspec
import pytest
from litestar import Litestar
from litestar.testing import TestClient

from server.app import create_app
from server.runtime.model import SamModel
from server.settings import Settings

Client = TestClient[Litestar]
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"


@pytest.mark.parametrize("accept", ["*/*", "application/json", "", "application/json, text/html;q=0.5"])
def test_the_root_answers_programs_with_json(client: Client, accept: str) -> None:
    answer = client.get("/", headers={"Accept": accept}, follow_redirects=False)
    assert (answer.status_code, answer.json()["status"]) == (200, "UP")
    assert answer.headers["Vary"] == "Accept"


@pytest.mark.parametrize("base_path", ["", "/pre/fix"])
@pytest.mark.parametrize("slash", ["", "/"])
def test_the_root_sends_browsers_to_the_playground_under_any_prefix(
    settings: Settings, tiny: SamModel, base_path: str, slash: str
) -> None:
    with TestClient(create_app(msgspec.structs.replace(settings, base_path=base_path), tiny)) as client:
        page = client.get(f"{base_path}{slash}", headers={"Accept": BROWSER})
        assert page.url.path == f"{base_path}/playground"
        assert page.headers["Content-Type"] == "text/html; charset=utf-8"
        for link in re.findall(r'(?:href|src)="([^"]+)"', page.text):
            assert client.get(str(page.url.join(link))).status_code == 200


def test_a_proxy_that_takes_a_prefix_off_the_path_finds_relative_redirects(client: Client) -> None:
    for path in ("/", "/playground/"):
        location = client.get(path, headers={"Accept": BROWSER}, follow_redirects=False).headers["Location"]
        assert not re.match("/|[a-z]+:", location)
    assert client.get("/playground/").url.path == "/playground"


def test_the_page_may_load_and_call_its_own_server_only(client: Client) -> None:
    for path in ("/playground", "/playground/main.js", "/playground/style.css", "/playground/icon.svg"):
        headers = client.get(path).headers
        policy = dict(entry.split(" ", 1) for entry in headers["Content-Security-Policy"].split("; "))
        assert policy["default-src"] == "'none'"
        assert {policy[kind] for kind in ("script-src", "style-src", "img-src", "connect-src")} == {"'self'"}
        assert headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("name", ["nothing.js", "..%2Froutes.py", "..%2F..%2Fapp.py", "%2Fetc%2Fpasswd"])
def test_only_files_of_the_playground_are_served(client: Client, name: str) -> None:
    answer = client.get(f"/playground/{name}")
    assert (answer.status_code, answer.headers["Content-Type"]) == (404, "application/json")
