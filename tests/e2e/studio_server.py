"""Starting the servers under test, each a process of its own on the loopback, and ending them by process id."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx

from tests.loopback import free_port

USER, PASSWORD, TOKEN = "ann@example.com", "e2e-passw0rd", "e2e0" * 10
_OFF = ("ML_BLOCK_LOCAL_IP", "SSRF_PROTECTION_ENABLED", "COLLECT_ANALYTICS", "LATEST_VERSION_CHECK")
_TICK = 0.1  # seconds between two looks at a server that starts


@contextmanager
def label_studio(folder: Path, pictures: Path) -> Iterator[str]:
    """An unmodified Label Studio with one user; `pictures` may serve as local storage. Gives its URL."""
    shutil.copytree(_migrated(), folder / "data")
    with _label_studio(folder / "data", pictures, folder / "label-studio.log") as url:
        yield url


def _migrated() -> Path:
    """What Label Studio keeps after its first start, which takes a minute: made once for each installation."""
    made = Path(sys.prefix) / f"first-start-{USER}"
    if not made.exists():
        making = made.with_suffix(".making")
        shutil.rmtree(making, ignore_errors=True)
        with _label_studio(making, making, Path(sys.prefix) / "first-start.log"):
            pass
        making.rename(made)
    return made


@contextmanager
def _label_studio(data: Path, pictures: Path, log: Path) -> Iterator[str]:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    data.mkdir(parents=True, exist_ok=True)
    command = [str(Path(sys.prefix) / "bin" / "label-studio"), "start", "--no-browser", "--port", str(port)]
    command += ["--internal-host", "127.0.0.1", "--host", url, "--username", USER, "--password", PASSWORD]
    command += ["--user-token", TOKEN, "--enable-legacy-api-token"]
    environment = dict.fromkeys(_OFF, "false") | {
        "SENTRY_DSN": "",
        "FRONTEND_SENTRY_DSN": "",
        "LABEL_STUDIO_BASE_DATA_DIR": str(data),
        "LOCAL_FILES_SERVING_ENABLED": "true",
        "LOCAL_FILES_DOCUMENT_ROOT": str(pictures),
    }
    with _running(command, environment, f"{url}/health", log):
        yield url


@contextmanager
def samserve(studio: str, folder: Path) -> Iterator[str]:
    """The samserve of this repository with its real weights. Gives its URL."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    environment = {"SAMSERVE_ALLOW_HOSTS": "127.0.0.1", "LABEL_STUDIO_URL": studio, "LABEL_STUDIO_API_KEY": TOKEN}
    command = [os.environ.get("SAMSERVE", ".venv/bin/samserve"), "serve", "--host", "127.0.0.1", "--port", str(port)]
    with _running(command, environment, f"{url}/health", folder / "samserve.log"):
        yield url


@contextmanager
def _running(command: Sequence[str], environment: Mapping[str, str], health: str, log: Path) -> Iterator[None]:
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env={**os.environ, **environment}, stdout=output, stderr=output, start_new_session=True
        )
    try:
        _wait_for(process, health, log)
        yield
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _wait_for(process: subprocess.Popen[bytes], health: str, log: Path, seconds: float = 240) -> None:
    """Returns when `health` answers; fails when the process ends before, or takes longer than `seconds`."""
    for _ in range(round(seconds / _TICK)):
        with suppress(httpx.HTTPError):
            if httpx.get(health, timeout=2).is_success:
                return
        with suppress(subprocess.TimeoutExpired):
            process.wait(_TICK)
            break
    raise RuntimeError(f"{process.args!r} did not come up, its log ends with:\n{log.read_text()[-2000:]}")
