"""`samserve precompute`, as a user types it, against Label Studio's API and images on the loopback."""

import hashlib
import json
import os
import re
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from litestar import Litestar
from litestar.testing import TestClient
from numpy.typing import NDArray
from structlog.testing import capture_logs

from server.app import create_app
from server.cache.disk import DiskCache
from server.cli import main
from server.images.decode import decode_image
from server.models.family import Tensors
from server.runtime.providers import CUDA
from server.runtime.session import Session
from server.settings import Settings
from tests.conftest import Site, png
from tests.held import HeldModel
from tests.measured import stages
from tests.studio import CONFIG, LEGACY_TOKEN, body, click
from tests.waiting import eventually

PAGES = '<View><Image name="image" valueList="$pages"/></View>'


class Desk:
    """The command, and what it works with."""

    def __init__(self, site: Site, folder: Path) -> None:
        self.site, self.model, self.cache = site, HeldModel(folder), folder / "cache"
        self.environment: dict[str, str | None] = {
            name: None for name in os.environ if name.startswith(("SAMSERVE_", "LABEL_STUDIO", "BASIC_"))
        } | {
            "SAMSERVE_CACHE_DIR": str(self.cache),
            "SAMSERVE_ALLOW_HOSTS": "127.0.0.1,localhost",
            "LABEL_STUDIO_URL": site.url,
            "LABEL_STUDIO_API_KEY": LEGACY_TOKEN,
        }
        self.configure(7, CONFIG)

    def configure(self, project: int, label_config: str, **more: str) -> None:
        """Label Studio has this project."""
        found = {"id": project, "label_config": label_config, "task_number": len(self.site.studio.tasks)} | more
        self.site.put(f"/api/projects/{project}", json.dumps(found).encode(), "application/json")

    def tasks(self, *heights: int) -> None:
        """Tasks of project 7, each with a picture, and numbered as it."""
        for height in heights:
            self.site.studio.put(7, height, image=self.site.picture(height))
        self.configure(7, CONFIG)

    def run(self, *words: str) -> Result:
        with capture_logs():
            return CliRunner(env=self.environment).invoke(main, ["precompute", *words])


@pytest.fixture
def desk(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    desk = Desk(site, tmp_path)
    monkeypatch.setattr("server.precompute_cli.load_model", lambda settings: desk.model)
    for lasting in ("set_up_logs", "_step_back"):  # they would hold for all tests to come
        monkeypatch.setattr(f"server.precompute_cli.{lasting}", lambda **_: None)
    monkeypatch.setattr("server.listings.PAUSES", (0.01, 0.01))
    monkeypatch.setattr("server.service.project_images.PAUSES", (0.01, 0.01))
    monkeypatch.setattr("server.service.crawl._PAUSES", (0.01,))
    return desk


def test_all_tasks_of_a_project_are_encoded_page_by_page(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.service.project_images._PAGE", 3)
    desk.tasks(*range(20, 28))
    desk.site.studio.put(8, 99, image=desk.site.picture(99))
    done = desk.run("--project", "7")
    assert done.exit_code == 0, done.output
    assert "8 of 8 tasks in 0:00:0" in done.output
    assert "8 images encoded, 0 already there, 0 failed" in done.output
    assert sorted(desk.model.begun) == list(range(20, 28))
    after = [asked["query"]["filters"]["items"][0]["value"] for asked in desk.site.studio.asked]
    assert after == [0, 22, 25, 27]


def test_on_a_gpu_images_are_encoded_together_and_kept_as_on_a_cpu(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Session, "provider", CUDA)
    desk.model = model = HeldModel(tmp_path, images="images")
    runs, run = list[int](), Session.run

    def noted(self: Session, tensors: Tensors) -> dict[str, NDArray[np.generic]]:
        runs.append(len(tensors["image"]))
        if len(runs) == 1:  # held up until there is what may be under way
            assert eventually(lambda: runs[0] + len(model._encoders._waiting) == 8)
        return run(self, tensors)

    monkeypatch.setattr(Session, "run", noted)
    desk.tasks(*range(20, 32))
    assert "12 images encoded, 0 already there, 0 failed" in desk.run("--project", "7").output
    assert (sum(runs), max(runs)) == (12, 4)
    cache = DiskCache(desk.cache / "embeddings", 1 << 30)
    for height in range(20, 32):
        content = png(height, 60, seed=height)
        kept = cache.get(model.key(hashlib.sha256(content).hexdigest()))
        assert kept
        alone = model.encode(decode_image(content, 10_000))
        assert np.allclose(kept.tensors["image_embeddings"], alone.tensors["image_embeddings"], atol=1e-2)


def test_the_login_of_a_project_goes_with_its_images(desk: Desk) -> None:
    desk.site.studio.put(7, 1, image=desk.site.picture(20).replace("127.0.0.1", "localhost"))
    desk.configure(7, CONFIG, task_data_login="ann", task_data_password="pw")
    assert desk.run("--project", "7").exit_code == 0
    assert ("/20.png", "Basic YW5uOnB3") in desk.site.requests


def test_a_second_run_encodes_nothing(desk: Desk) -> None:
    desk.tasks(20, 21, 22)
    desk.run("--project", "7")
    desk.tasks(23)
    again = desk.run("--project", "7")
    assert "1 images encoded, 3 already there, 0 failed" in again.output
    assert sorted(desk.model.begun) == [20, 21, 22, 23]


def test_all_images_of_a_task_are_encoded_each_once_and_tasks_without_are_counted(desk: Desk) -> None:
    desk.site.studio.put(7, 1, pages=[desk.site.picture(20), desk.site.picture(21)])
    desk.site.studio.put(7, 2, pages=[desk.site.picture(21)])
    desk.site.studio.put(7, 3, pages=[])
    desk.configure(7, PAGES)
    done = desk.run("--project", "7")
    assert sorted(desk.model.begun) == [20, 21]
    assert "3 of 3 tasks in" in done.output
    assert "0 failed; 1 has no image" in done.output


def test_images_that_fail_are_listed_at_the_end_with_task_and_reason(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.site.studio.put(7, 1, image=desk.site.put("/broken.png", b"not an image"))
    desk.site.studio.put(7, 2, image=desk.site.url + "/missing.png?signature=secret")
    desk.site.studio.put(7, 3, image="ftp://x/a.png")
    desk.tasks(20, 21)
    done = desk.run("--project", "7")
    assert done.exit_code == 1
    lines = done.stdout.splitlines()
    assert "2 images encoded, 0 already there, 3 failed" in lines[0]
    reasons = dict(line.strip().split(": ", 1) for line in lines[1:])
    assert reasons.keys() == {"1", "2", "3"}
    assert "404" in reasons["2"]
    assert "'ftp://x/a.png' is not fetched" in reasons["3"]
    assert "secret" not in done.output
    assert sorted(desk.model.begun) == [20, 21]
    monkeypatch.setattr("server.service.crawl._FAILURES_KEPT", 1)
    assert desk.run("--project", "7").stdout.splitlines()[2:] == ["  ... and 2 more"]


def test_an_image_whose_server_is_in_trouble_for_a_moment_is_asked_for_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.tasks(20)
    answer, troubles = desk.site.answer, [503]
    monkeypatch.setattr(
        desk.site,
        "answer",
        lambda path: (troubles.pop(), "text/plain", b"busy") if troubles and path == "/20.png" else answer(path),
    )
    assert "1 images encoded, 0 already there, 0 failed" in desk.run("--project", "7").output


def test_label_studio_down_for_a_moment_is_waited_for(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.tasks(20)
    answer, troubles = desk.site.studio.answer, [502, 503]
    monkeypatch.setattr(
        desk.site.studio,
        "answer",
        lambda path: (troubles.pop(), "text/plain", b"starting") if troubles else answer(path),
    )
    done = desk.run("--project", "7")
    assert done.exit_code == 0, done.output
    assert done.stderr.count("trying again in 0.01 s") == 2
    assert desk.model.begun == [20]


def test_label_studio_down_in_the_middle_ends_with_what_is_done_and_why(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.service.project_images._PAGE", 2)
    desk.tasks(20, 21, 22, 23)
    answer = desk.site.studio.answer
    monkeypatch.setattr(
        desk.site.studio,
        "answer",
        lambda path: answer(path) if len(desk.site.studio.asked) < 1 else (503, "text/plain", b"down"),
    )
    done = desk.run("--project", "7")
    assert done.exit_code == 1
    assert "2 of 4 tasks in" in done.stdout
    assert "2 images encoded" in done.stdout
    assert re.search(r"Error: 503 .* from http://127.0.0.1:\d+/api/tasks/", done.stderr)
    assert sorted(desk.model.begun) == [20, 21]
    assert [path for path, _ in desk.site.requests if path.startswith("/api/tasks")][3:] != []  # it was tried again


@pytest.mark.parametrize(
    ("variables", "words", "told"),
    [
        ({"LABEL_STUDIO_URL": "http://127.0.0.1:1"}, ["--project", "7"], "Label Studio cannot be reached"),
        ({}, ["--project", "9"], "404"),
        ({"LABEL_STUDIO_API_KEY": None}, ["--project", "7"], "set LABEL_STUDIO_URL and LABEL_STUDIO_API_KEY"),
        ({"SAMSERVE_EMBEDDING_DISK_GIB": "0"}, ["--project", "7"], "SAMSERVE_EMBEDDING_DISK_GIB is 0"),
        ({}, [], "give one of --project NUMBER"),
        ({}, ["--project", "7", "--images", "."], "give one of --project NUMBER"),
        ({}, ["--project", "7", "--label-config", __file__], "--label-config goes with --export"),
        ({}, ["--images", "/nowhere/*.jpg"], "/nowhere/*.jpg: no image there"),
        ({}, ["--export", __file__], "as Label Studio exports as JSON"),
        ({}, ["--status", "--url", "http://127.0.0.1:1"], "no samserve answers at http://127.0.0.1:1"),
    ],
)
def test_what_cannot_be_done_is_one_line_that_says_what_can(
    desk: Desk, variables: dict[str, str | None], words: list[str], told: str
) -> None:
    desk.environment |= variables
    done = desk.run(*words)
    assert done.exit_code in (1, 2)
    assert told in done.output
    assert "Traceback" not in done.output
    assert desk.model.begun == []


def test_a_project_that_shows_no_images_is_told(desk: Desk) -> None:
    desk.configure(7, '<View><Text name="t" value="$t"/></View>')
    assert "the labeling config of project 7 has no <Image>" in desk.run("--project", "7").output


def test_an_export_is_read_with_its_labeling_config_or_by_what_looks_like_an_image(desk: Desk, tmp_path: Path) -> None:
    export, config = tmp_path / "export.json", tmp_path / "config.xml"
    annotations = [{"result": [{"value": {"rle": [1, 2, 3]}}]}]
    data = {
        "image": desk.site.picture(20),
        "photos": [desk.site.picture(21) + "?v=1"],
        "link": "https://example.com/about",
    }
    desk.site.put("/21.png?v=1", png(21, 60))
    export.write_text(json.dumps([{"id": 5, "data": data, "annotations": annotations}]))
    config.write_text(CONFIG)
    assert "1 images encoded" in desk.run("--export", str(export), "--label-config", str(config)).output
    assert desk.model.begun == [20]
    assert "1 images encoded, 1 already there" in desk.run("--export", str(export)).output
    assert desk.model.begun == [20, 21]


def test_an_export_without_anything_like_an_image_asks_for_the_labeling_config(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "export.json").write_text('[{"id": 5, "data": {"picture": "https://example.com/view?id=7"}}]')
    done = desk.run("--export", str(tmp_path / "export.json"))
    assert done.exit_code == 1
    assert "give --label-config FILE" in done.output


def test_a_server_finds_what_was_encoded_from_files_whatever_the_url(
    desk: Desk, settings: Settings, site: Site, tmp_path: Path
) -> None:
    (tmp_path / "photos" / "deep").mkdir(parents=True)
    (tmp_path / "photos" / "deep" / "a.PNG").write_bytes(png(40, 60))
    (tmp_path / "photos" / "notes.txt").write_text("no image")
    assert "1 images encoded, 0 already" in desk.run("--images", str(tmp_path / "photos")).output
    assert "0 images encoded, 1 already" in desk.run("--images", str(tmp_path / "photos" / "**" / "*.PNG")).output
    url = site.put("/elsewhere.png?token=1", png(40, 60))
    with TestClient(create_app(settings, desk.model)) as client:
        answer = client.post("/predict", json=body(url, [click(30, 20, 60, 40)]))
    assert answer.json()["results"][0]["result"]
    assert "encode" not in stages(answer.headers["Server-Timing"])
    assert desk.model.begun == [40]


def test_a_dry_run_tells_number_time_and_disk_and_keeps_nothing(desk: Desk) -> None:
    desk.site.studio.put(7, 1, image=desk.site.url + "/missing.png")
    desk.tasks(*range(20, 30))
    done = desk.run("--project", "7", "--dry-run")
    assert done.exit_code == 0, done.output
    lines = done.output.splitlines()
    assert lines[0] == "images  11"
    assert re.match(r"time    0:00:0\d at most, 0.0\d s each \(3 timed\)", lines[1])
    assert re.match(r"disk    0.00 GiB at most, 0.00 MiB each, in .*embeddings; 20 GiB allowed, .* GiB free", lines[2])
    assert desk.model.begun == [20, 21, 22]
    assert not (desk.cache / "embeddings").exists()


def test_where_a_server_stands_is_told_to_people(desk: Desk, app: Litestar, monkeypatch: pytest.MonkeyPatch) -> None:
    with TestClient(app) as client:
        client.post("/predict", json=body(desk.site.picture(40), [click(30, 20, 60, 40)]))
        answer = client.get("/precompute")
    desk.site.put("/precompute", answer.content, "application/json")
    done = desk.run("--status", "--url", desk.site.url + "/")
    assert done.exit_code == 0, done.output
    assert done.output.splitlines() == [
        "in advance  0 images done, 0 failed",
        "            waiting  fetched  given up",
        "click             0        0         0",
        "opened            0        0         0",
        "look ahead        0        0         0",
        "crawl             0        0         0",
        "memory      0 of 1 look-ups found (0%), 0 MiB held",
        "disk        0 of 1 look-ups found (0%)",
    ]


@pytest.mark.parametrize(
    ("status", "content", "told"),
    [(401, b"{}", "BASIC_AUTH_USER and BASIC_AUTH_PASS"), (404, b"{}", "is this samserve"), (200, b"<p>", "is this")],
)
def test_a_server_that_does_not_tell_is_named(desk: Desk, status: int, content: bytes, told: str) -> None:
    desk.site.put("/precompute", content, status=status)
    done = desk.run("--status", "--url", desk.site.url)
    assert done.exit_code == 1
    assert told in done.output
