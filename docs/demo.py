"""Label Studio and samserve on this machine, with a project of three pictures to click on: make demo."""

import argparse
import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

PICTURES = [Path(__file__).parent / "pictures" / name for name in ("coffee.jpg", "chelsea.jpg", "astronaut.jpg")]
USER, PASSWORD, TOKEN = "demo@example.com", "samserve-demo", "de30" * 10
QUIET = {"COLLECT_ANALYTICS": "false", "LATEST_VERSION_CHECK": "false", "SENTRY_DSN": "", "FRONTEND_SENTRY_DSN": ""}
OPEN = {"ML_BLOCK_LOCAL_IP": "false", "SSRF_PROTECTION_ENABLED": "false"}  # samserve is on the loopback


def main() -> None:
    """Starts both, makes the project the first time, and waits for Ctrl-C."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--label-studio", required=True, help="the label-studio command")
    parser.add_argument("--samserve", required=True, help="the samserve command")
    parser.add_argument("--data", type=Path, required=True, help="folder for what Label Studio keeps")
    parser.add_argument("--check", action="store_true", help="stop once all is up")
    arguments = parser.parse_args()
    arguments.data.mkdir(parents=True, exist_ok=True)
    studio, sam = f"http://127.0.0.1:{_port(8080)}", f"http://127.0.0.1:{_port(9090)}"
    known = {"LABEL_STUDIO_URL": studio, "LABEL_STUDIO_API_KEY": TOKEN, "SAMSERVE_ALLOW_HOSTS": "127.0.0.1"}
    serve = [arguments.samserve, "serve", "--host", "127.0.0.1", "--port", sam.rpartition(":")[2]]
    with (
        _running(_label_studio(arguments.label_studio, studio), _environment(arguments.data), arguments.data, studio),
        _running(serve, known, arguments.data, sam),
    ):
        _project(arguments.samserve, known, arguments.data / "project", sam)
        print(f"\nOpen {studio}/projects/1/data and log in as {USER} with the password {PASSWORD}.")
        print("Open a task, switch Auto-Annotation on, take a smart tool (with the wand), a label, and click.")
        print(f"The playground, without Label Studio, is {sam}/playground. Ctrl-C ends both.")
        with contextlib.suppress(KeyboardInterrupt):
            while not arguments.check:
                time.sleep(3600)


def _label_studio(command: str, url: str) -> list[str]:
    return [
        *(command, "start", "--no-browser", "--port", url.rpartition(":")[2], "--internal-host", "127.0.0.1"),
        *("--host", url, "--username", USER, "--password", PASSWORD),
        *("--user-token", TOKEN, "--enable-legacy-api-token"),
    ]


def _environment(data: Path) -> dict[str, str]:
    return QUIET | OPEN | {"LABEL_STUDIO_BASE_DATA_DIR": str(data / "label-studio")}


def _project(samserve: str, known: Mapping[str, str], made: Path, sam: str) -> None:
    """Makes project 1 the first time; later connects it again, as ports may have changed."""
    if made.exists():
        again = [samserve, "connect", "--project", "1", "--url", sam, "--yes"]
        subprocess.run(again, env={**os.environ, **known}, check=True)
        return
    create = [samserve, "connect", "--create", "samserve demo", "--url", sam]
    for picture in PICTURES:
        create += ["--images", str(picture)]
    subprocess.run(create, env={**os.environ, **known}, check=True)
    made.touch()


@contextlib.contextmanager
def _running(command: Sequence[str], environment: Mapping[str, str], data: Path, url: str) -> Iterator[None]:
    log = data / f"{Path(command[0]).name}.log"
    print(f"Starting {Path(command[0]).name} at {url} (the first time takes a minute; log: {log}) ...", flush=True)
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env={**os.environ, **environment}, stdout=output, stderr=output, start_new_session=True
        )
    try:
        _wait(process, url + "/health", log)
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)


def _wait(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(urllib.error.URLError, OSError), urllib.request.urlopen(url, timeout=2):
            return
        time.sleep(0.3)
    sys.exit(f"{process.args!r} did not come up; {log} ends with:\n{log.read_text()[-1500:]}")


def _port(wanted: int) -> int:
    """`wanted`, or any free port where that is taken."""
    for port in (wanted, 0):
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)) as probe:
            return int(probe.getsockname()[1])
    raise SystemExit("there is no free port on 127.0.0.1")


if __name__ == "__main__":
    main()
