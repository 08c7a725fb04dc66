"""`samserve doctor`: each way in which a set-up is broken is found, and told with the way out."""

import asyncio
import base64
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from click.testing import CliRunner

from server.cli import main
from server.doctor.chart import Chart, Finding
from server.doctor.diagnosis import Diagnosis
from server.doctor.image import ImageWay
from server.doctor.surroundings import container_trap, proxy_trap
from server.engine import image_sources
from server.errors import BadSettings
from server.images.decode import decode_image
from server.runtime.model import SamModel
from server.settings import Settings
from server.studio.api import StudioApi
from tests.conftest import Site, png
from tests.studio import CONFIG

WELL = CONFIG.replace('<Label value="Only point"/>', "")
Change = Callable[[dict[str, Any]], None]


class Studio:
    """Label Studio's answers to the paths that a doctor asks, as version 1.23.2 gave them; all is well at first."""

    def __init__(self, image: str) -> None:
        backend = {
            "id": 5,
            "url": "http://sam:9090",
            "is_interactive": True,
            "state": "CO",
            "readable_state": "Connected",
        }
        self.pages: dict[str, Any] = {
            "/api/current-user/whoami": {"email": "me@example.com"},
            "/api/tasks/3": {"id": 3, "project": 7, "data": {"image": image}},
            "/api/projects/7": {"title": "Cats", "label_config": WELL},
            "/api/ml": [backend | {"error_message": None, "model_version": "tiny-1"}],
            "/api/ml/5/interactive-annotating": {"data": {"result": [{"id": "r"}], "score": 1.0}},
        }

    def answer(self, request: httpx.Request) -> httpx.Response:
        page = self.pages.get(request.url.path)
        return httpx.Response(404, json={"detail": "Not found."}) if page is None else httpx.Response(200, json=page)


@pytest.fixture
def examine(site: Site, settings: Settings, tiny: SamModel) -> Callable[[Change], list[Finding]]:
    image = site.put("/cat.png", png(40, 60))

    def run(change: Change) -> list[Finding]:
        studio = Studio(image)
        change(studio.pages)
        api = StudioApi("http://studio:8080", httpx.BasicAuth("a", "b"), httpx.MockTransport(studio.answer))
        allowed = msgspec.structs.replace(settings, allow_hosts=("127.0.0.1", "localhost"))
        way = ImageWay(image_sources(allowed), lambda content: decode_image(content, 10**6), tiny)
        return asyncio.run(Diagnosis(api, way)(3))

    return run


def test_a_set_up_that_works_is_walked_to_the_mask(examine: Callable[[Change], list[Finding]]) -> None:
    findings = examine(lambda _: None)
    steps = ["token", "task", "labeling config", "connection", "image", "fetch", "decode", "encode", "mask", "click"]
    assert [finding.step for finding in findings] == steps
    assert {finding.state for finding in findings} == {"ok"}
    assert "60 x 40 px" in findings[6].seen
    assert "BrushLabels" in findings[8].seen


BROKEN: dict[str, tuple[Change, str, str]] = {
    "a token that is not accepted": (lambda p: p.pop("/api/current-user/whoami"), "token", "404"),
    "a task that is not there": (lambda p: p.pop("/api/tasks/3"), "task", "404: Not found."),
    "a config without an image": (
        lambda p: p["/api/projects/7"].update(label_config='<View><Text name="t" value="$t"/></View>'),
        "labeling config",
        "run samserve connect",
    ),
    "a config without a smart tool": (
        lambda p: p["/api/projects/7"].update(
            label_config='<View><Image name="i" value="$image"/><Brush name="b" toName="i"/></View>'
        ),
        "labeling config",
        "neither a key point nor a rectangle",
    ),
    "no model": (lambda p: p["/api/ml"].clear(), "connection", "run samserve connect --project 7"),
    "a model that is not interactive": (
        lambda p: p["/api/ml"][0].update(is_interactive=False),
        "connection",
        "Interactive preannotations is off",
    ),
    "a model on a private address": (
        lambda p: p["/api/ml"][0].update(state="ER", error_message="URL resolves to a reserved network address"),
        "connection",
        "ML_BLOCK_LOCAL_IP=false",
    ),
    "a task without its image": (lambda p: p["/api/tasks/3"].update(data={"text": "x"}), "image", "has no field"),
    "an image that is gone": (
        lambda p: p["/api/tasks/3"]["data"].update(image=p["/api/tasks/3"]["data"]["image"] + "x"),
        "fetch",
        "404",
    ),
    "a server that gives no mask": (
        lambda p: p["/api/ml/5/interactive-annotating"].update(errors=["422 Client Error"]),
        "click",
        "422 Client Error",
    ),
    "an image on a private address": (
        lambda p: p["/api/tasks/3"]["data"].update(image="http://10.0.0.1/a.png"),
        "fetch",
        "SAMSERVE_ALLOW_HOSTS",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_the_first_broken_step_is_named_with_the_way_out(examine: Callable[[Change], list[Finding]], case: str) -> None:
    change, step, told = BROKEN[case]
    *before, last = examine(change)
    assert (last.step, last.state) == (step, "failed")
    assert told in last.seen
    assert all(finding.state == "ok" for finding in before)


def test_neither_password_nor_query_of_an_image_nor_its_bytes_are_shown(
    examine: Callable[[Change], list[Finding]], site: Site
) -> None:
    signed = site.put("/a.png?sig=s3cret", png(40, 60)).replace("127.0.0.1", "ann:pa55@localhost")
    for image in (signed, "data:image/png;base64," + base64.b64encode(png(40, 60)).decode()):
        findings = examine(lambda p, image=image: p["/api/tasks/3"]["data"].update(image=image))  # type: ignore[misc]
        assert {finding.state for finding in findings} == {"ok"}
        assert not [f for f in findings if any(word in f.seen for word in ("s3cret", "pa55", "iVBOR"))]


def test_the_login_of_the_project_goes_with_its_image(examine: Callable[[Change], list[Finding]], site: Site) -> None:
    def behind_a_login(pages: dict[str, Any]) -> None:
        pages["/api/projects/7"] |= {"task_data_login": "ann", "task_data_password": "pw"}
        task = pages["/api/tasks/3"]["data"]
        task["image"] = task["image"].replace("127.0.0.1", "localhost")

    assert "pw" not in "".join(finding.seen for finding in examine(behind_a_login))
    assert site.requests == [("/cat.png", "Basic YW5uOnB3")]


def test_the_first_of_several_interactive_models_is_worth_a_warning(
    examine: Callable[[Change], list[Finding]],
) -> None:
    (found,) = (f for f in examine(lambda p: p["/api/ml"].append(p["/api/ml"][0])) if f.step == "connection")
    assert found.state == "warning"
    assert "first of several" in found.advice


def test_a_label_that_the_answering_control_lacks_is_worth_a_warning(
    examine: Callable[[Change], list[Finding]],
) -> None:
    findings = examine(lambda p: p["/api/projects/7"].update(label_config=CONFIG))
    (found,) = (finding for finding in findings if finding.state != "ok")
    assert (found.step, found.state) == ("labeling config", "warning")
    assert "BrushLabels 'brush' lacks 'Only point', so answers to 'kp' come without" in found.advice


def test_labels_may_also_be_in_a_tag_of_their_own(examine: Callable[[Change], list[Finding]]) -> None:
    plain = (
        WELL.replace("BrushLabels", "Brush")
        .replace('<Label value="B"/>', "")
        .replace(
            '<Brush name="brush" toName="image"><Label value="A"/></Brush>', '<Brush name="brush" toName="image"/>'
        )
    )
    (found,) = (f for f in examine(lambda p: p["/api/projects/7"].update(label_config=plain)) if f.advice)
    assert "a <Labels> for 'image' beside Brush 'brush' lacks 'A', so answers to 'kp' and 'rect'" in found.advice
    beside = plain.replace("</View>", '<Labels name="l" toName="image"><Label value="A"/></Labels></View>')
    assert not any(f.advice for f in examine(lambda p: p["/api/projects/7"].update(label_config=beside)))


def test_without_a_label_studio_there_is_nothing_to_diagnose(tiny: SamModel, settings: Settings) -> None:
    way = ImageWay(image_sources(settings), lambda content: decode_image(content, 10**6), tiny)
    with pytest.raises(BadSettings, match="LABEL_STUDIO_URL"):
        asyncio.run(Diagnosis(None, way)(3))


def test_localhost_in_a_container_is_a_trap() -> None:
    trap = container_trap("http://localhost:8080", in_container=True)
    assert trap
    assert "host.docker.internal" in trap.advice
    assert container_trap("http://localhost:8080", in_container=False) is None
    assert container_trap("http://label-studio:8080", in_container=True) is None


def test_a_proxy_that_label_studio_would_use_is_a_trap() -> None:
    proxy = {"HTTP_PROXY": "http://proxy:3128"}
    trap = proxy_trap(proxy, "http://studio:8080")
    assert trap
    assert "NO_PROXY" in trap.advice
    assert proxy_trap(proxy | {"NO_PROXY": "a,studio"}, "http://studio:8080") is None
    assert proxy_trap({}, "http://studio:8080") is None


def test_a_bug_is_not_taken_for_a_finding() -> None:
    async def broken() -> Any:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        asyncio.run(Chart(lambda _: None).step("x", broken()))


def command(cache: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`samserve doctor` in a process of its own, as it sets up logs."""
    environment = {name: text for name, text in os.environ.items() if name.lower() != "http_proxy"}
    environment |= {"SAMSERVE_CACHE_DIR": str(cache)}
    doctor = [sys.executable, "-m", "server", "doctor", *arguments]
    return subprocess.run(doctor, env=environment, capture_output=True, text=True, timeout=60, check=False)


def test_the_command_tells_a_machine_what_it_tells_people(tmp_path: Path) -> None:
    done = command(tmp_path, "--json")
    assert done.returncode == 1
    (finding,) = msgspec.json.decode(done.stdout, type=list[Finding])
    assert (finding.step, finding.state) == ("model", "failed")
    assert "samserve weights pull" in finding.seen
    told = command(tmp_path)
    assert told.returncode == 1
    assert "FAILED model" in told.stdout


def test_the_command_needs_label_studio_for_a_task() -> None:
    names = ("LABEL_STUDIO_URL", "LABEL_STUDIO_HOST", "LABEL_STUDIO_API_KEY", "LABEL_STUDIO_ACCESS_TOKEN")
    done = CliRunner(env=dict.fromkeys(names)).invoke(main, ["doctor", "--task", "3"])
    assert done.exit_code == 2
    assert "LABEL_STUDIO_API_KEY" in done.output
