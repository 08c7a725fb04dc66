"""`samserve connect --create` makes nothing that cannot be connected, and says how to go on after what it made."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner, Result

from server.app import create_app
from server.cli import main
from server.errors import StudioRefused
from server.runtime.model import SamModel
from server.settings import Settings
from server.studio.api import StudioApi
from server.studio.create import upload
from tests.loopback import Quiet, free_port, serving
from tests.running import running

BLOCKED = {"detail": "URL resolves to a reserved network address (block: 127.0.0.0/8)"}
NO_PROJECT = {"validation_errors": {"project": ['Invalid pk "0" - object does not exist.']}}


class Studio:
    """Answers as version 1.23.2 did; keeps what was made.

    Attributes:
        told_of_0: what it says to a connection of no project.
        told: what it says to one of a project.
    """

    def __init__(self, told_of_0: tuple[int, Any] = (400, NO_PROJECT), told: tuple[int, Any] = (200, {})) -> None:
        self.told_of_0, self.told = told_of_0, told
        self.made: list[str] = []
        self.tasks: list[dict[str, Any]] = []

    def answer(self, path: str, given: dict[str, Any]) -> tuple[int, Any]:
        """Status and content."""
        if path == "/api/ml" and given:
            return self.told_of_0 if given["project"] == 0 else self.told
        if given:
            self.made.append(path)
            return 201, given | {"id": 8}
        lists = path.startswith(("/api/ml", "/api/webhooks"))
        config = self.made and {"label_config": "<View/>"}
        return 200, [] if lists else {"email": "me@example.com", "tasks": self.tasks} | (config or {})


@contextmanager
def studio_at(studio: Studio) -> Iterator[str]:
    """Its URL."""

    class Api(Quiet, BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            given = json.loads(body) if body.startswith(b"{") else {"file": 1} if body else {}
            status, content = studio.answer(self.path, given)
            self.answer(status, json.dumps(content).encode())

        def do_GET(self) -> None:
            self.do_POST()

        def do_PATCH(self) -> None:
            self.do_POST()

    with serving(Api) as url:
        yield url


def create(studio: Studio, url: str, *arguments: str, **more: str) -> Result:
    """What the command does."""
    with studio_at(studio) as studio_url:
        env = {"LABEL_STUDIO_URL": studio_url, "LABEL_STUDIO_API_KEY": "k"} | more
        return CliRunner(env=env).invoke(main, ["connect", "--create", "Cats", "--url", url, *arguments])


@pytest.fixture
def sam(settings: Settings, tiny: SamModel) -> Iterator[str]:
    with running(create_app(settings, tiny)) as port:
        yield f"http://127.0.0.1:{port}"


def test_nothing_is_made_where_label_studio_may_not_call_samserve(sam: str) -> None:
    studio = Studio(told_of_0=(403, BLOCKED))
    done = create(studio, sam)
    assert done.exit_code == 1
    assert "ML_BLOCK_LOCAL_IP=false" in done.output
    assert not studio.made


def test_nothing_is_made_where_samserve_does_not_take_the_options(sam: str) -> None:
    studio = Studio()
    done = create(studio, sam, "--options", '{"choose": "smallest"}')
    assert done.exit_code == 1
    assert "choose is set, but the stock decoder" in done.output
    assert not studio.made


def test_nothing_is_made_where_nobody_answers_unless_label_studio_alone_reaches_samserve() -> None:
    studio, url = Studio(), f"http://127.0.0.1:{free_port()}"
    done = create(studio, url)
    assert f"no samserve answers at {url}" in done.output
    assert not studio.made
    assert create(studio, url, "--yes").exit_code == 0
    assert "/api/projects" in studio.made


def test_what_fails_after_the_project_was_made_ends_with_how_to_go_on(sam: str) -> None:
    studio = Studio(told=(403, BLOCKED))
    done = create(studio, sam, "--yes", "--options", '{"smooth": 2}')
    assert done.exit_code == 1
    assert studio.made[0] == "/api/projects"
    last = done.output.splitlines()[-1]
    assert last.endswith(f"go on with: samserve connect --project 8 --url {sam} --options '{{\"smooth\":2}}'")


def test_a_check_that_fails_fails_the_command(sam: str, tmp_path: Path) -> None:
    studio = Studio()
    studio.tasks = [{"id": 1, "project": 8}]
    done = create(studio, sam, "--yes", SAMSERVE_CACHE_DIR=str(tmp_path / "without weights"))
    assert "connected to" in done.output
    assert "FAILED model" in done.output
    assert done.exit_code == 1
    assert f"go on with: samserve connect --project 8 --url {sam}" in done.output


def test_each_image_becomes_a_task_and_those_left_are_told(tmp_path: Path) -> None:
    images = [tmp_path / name for name in ("a.png", "b.png", "c.png")]
    for path in images:
        path.write_bytes(path.name.encode())
    uploads: list[bytes] = []

    def answer(request: httpx.Request) -> httpx.Response:
        uploads.append(request.content)
        return httpx.Response(413 if b"b.png" in request.content else 201, json={})

    api = StudioApi("http://studio:8080", httpx.BasicAuth("a", "b"), httpx.MockTransport(answer))
    said: list[str] = []
    with pytest.raises(StudioRefused, match=r"2 of 3 images are left, from b\.png on"):
        asyncio.run(upload(api, 8, images, said.append))
    assert said == ["uploaded a.png (1 of 3)"]
    assert len(uploads) == 2
