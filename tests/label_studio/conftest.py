"""A real Label Studio, below a path, with a project whose images lie in every place that it knows.

Runs when LABEL_STUDIO_COMMAND names its command; `make test-label-studio` installs it and says so.
"""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.buckets import S3_ENVIRONMENT, put_object, s3_server
from tests.conftest import png
from tests.label_studio.prefix import behind_prefix
from tests.loopback import free_port
from tests.studio import CONFIG, LEGACY_TOKEN

COMMAND = os.environ.get("LABEL_STUDIO_COMMAND", "")
collect_ignore_glob = [] if COMMAND else ["test_*.py"]
_STARTS_WITHIN = 300  # seconds; the first start makes a database
_ENVIRONMENT = {
    "ML_BLOCK_LOCAL_IP": "false",
    "SSRF_PROTECTION_ENABLED": "false",
    "COLLECT_ANALYTICS": "false",
    "LATEST_VERSION_CHECK": "false",
    "SENTRY_DSN": "",
    "FRONTEND_SENTRY_DSN": "",
    "LOCAL_FILES_SERVING_ENABLED": "true",
}


@dataclass(frozen=True, slots=True)
class Studio:
    """Label Studio: its API, its local files, its log."""

    url: str
    api: httpx.Client
    mount: Path
    log: Path
    s3: str

    def call(self, method: str, path: str, /, **body: Any) -> Any:
        """The answer to an API call, which succeeds."""
        answer = self.api.request(method, f"/api/{path}", json=body or None)
        assert answer.is_success, f"{path}: {answer.status_code} {answer.text[:500]}"
        return answer.json()

    def new_project(self) -> int:
        """The id of an empty project."""
        return int(self.call("POST", "projects", title="images", label_config=CONFIG)["id"])

    def synchronised(self, kind: str, project: int, **storage: Any) -> None:
        """Makes tasks of what a new source storage holds."""
        made = self.call("POST", f"storages/{kind}", project=project, use_blob_urls=True, **storage)
        self.call("POST", f"storages/{kind}/{made['id']}/sync")

    def task(self, project: int) -> dict[str, Any]:
        """The only task of a project as a backend gets it, with raw URIs."""
        [task] = self.call("GET", f"tasks?project={project}&fields=all&resolve_uri=false")["tasks"]
        return {"id": task["id"], "data": task["data"]}


@pytest.fixture(scope="session")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    folder = tmp_path_factory.mktemp("studio")
    (folder / "mount" / "cats").mkdir(parents=True)
    inner = f"http://127.0.0.1:{free_port()}"
    signed = {"Authorization": f"Token {LEGACY_TOKEN}"}
    api = httpx.Client(base_url=inner, headers=signed, timeout=30, trust_env=False)
    with api, s3_server() as s3, behind_prefix(inner) as url, _running(folder, inner, url):
        yield Studio(url, api, folder / "mount", folder / "log", s3)


@contextmanager
def _running(folder: Path, inner: str, url: str) -> Iterator[None]:
    """Label Studio at `inner`, which takes itself to be at `url`."""
    port = inner.rpartition(":")[2]
    options = f"start --no-browser --port {port} --internal-host 127.0.0.1 --host {url} --username a@example.com"
    secrets = ["--password", "passw0rd1", "--user-token", LEGACY_TOKEN, "--enable-legacy-api-token"]
    places = {"LABEL_STUDIO_BASE_DATA_DIR": str(folder), "LOCAL_FILES_DOCUMENT_ROOT": str(folder / "mount")}
    environment = os.environ | _ENVIRONMENT | places
    with (folder / "log").open("wb") as log:
        command = [COMMAND, *options.split(), *secrets]
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)
        try:
            _wait(inner, process)
            yield
        finally:
            process.terminate()
            process.wait(10)


def _wait(url: str, process: subprocess.Popen[bytes]) -> None:
    give_up = time.monotonic() + _STARTS_WITHIN
    while process.poll() is None and time.monotonic() < give_up:
        try:
            if httpx.get(f"{url}/health", trust_env=False).is_success:
                return
        except httpx.TransportError:
            time.sleep(0.5)
    pytest.fail("Label Studio did not start")


@pytest.fixture(scope="session")
def uploaded(studio: Studio) -> dict[str, Any]:
    """A task whose image was uploaded."""
    project = studio.new_project()
    file = ("my cat #1 \u00fc.png", png(40, 60))
    assert studio.api.post(f"/api/projects/{project}/import", files={"file": file}).is_success
    return studio.task(project)


@pytest.fixture(scope="session")
def local(studio: Studio) -> dict[str, Any]:
    """A task whose image lies in Label Studio's local files."""
    (studio.mount / "cats" / "a b+\u00fc.png").write_bytes(png(40, 60))
    project = studio.new_project()
    studio.synchronised("localfiles", project, path=str(studio.mount / "cats"), regex_filter=".*png")
    return studio.task(project)


@pytest.fixture(scope="session", params=[True, False], ids=["presigned", "proxied"])
def in_bucket(studio: Studio, request: pytest.FixtureRequest) -> dict[str, Any]:
    """A task whose image lies in a bucket, to which Label Studio redirects, or which it reads itself."""
    bucket = "presigned" if request.param else "proxied"
    put_object(studio.s3, bucket, "cats/a b+\u00fc.png", png(40, 60))
    project = studio.new_project()
    keys = {
        "aws_access_key_id": S3_ENVIRONMENT["AWS_ACCESS_KEY_ID"],
        "aws_secret_access_key": S3_ENVIRONMENT["AWS_SECRET_ACCESS_KEY"],
        "region_name": S3_ENVIRONMENT["AWS_REGION"],
    }
    studio.synchronised(
        "s3",
        project,
        bucket=bucket,
        prefix="cats",
        regex_filter=".*png",
        s3_endpoint=studio.s3,
        presign=request.param,
        **keys,
    )
    return studio.task(project)
