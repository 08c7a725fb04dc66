"""What a log line looks like where no terminal reads it."""

import json
import subprocess
import sys

REQUEST = """
import http.server, threading, httpx
from server.logs import set_up_logs
set_up_logs(debug=True)
server = http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler)
thread = threading.Thread(target=server.handle_request)
thread.start()
httpx.get(f"http://127.0.0.1:{server.server_port}/a.png?signature=secret")
thread.join()
"""
SCRIPT = """
import structlog
from server.logs import set_up_logs
set_up_logs(debug={debug})
log = structlog.get_logger()
log.debug("detail")
try:
    1 / 0
except ZeroDivisionError:
    log.exception("broken", task=7)
"""


def lines(*, debug: bool) -> list[dict[str, object]]:
    command = [sys.executable, "-c", SCRIPT.format(debug=debug)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == ""
    return [json.loads(line) for line in done.stderr.splitlines()]


def test_a_line_is_json_with_the_traceback_inside() -> None:
    (line,) = lines(debug=False)
    assert (line["event"], line["level"], line["task"]) == ("broken", "error", 7)
    assert "ZeroDivisionError" in str(line["exception"])


def test_a_traceback_on_a_terminal_shows_no_local_variables() -> None:
    script = f"import sys\nsys.stderr.isatty = lambda: True\npassword = 's3' + 'cret'\n{SCRIPT.format(debug=False)}"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "ZeroDivisionError" in done.stderr
    assert "s3cret" not in done.stderr


def test_details_are_logged_where_asked_for() -> None:
    assert [line["event"] for line in lines(debug=True)] == ["detail", "broken"]


def test_urls_and_the_secrets_in_them_are_not_logged_even_in_detail() -> None:
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", REQUEST], capture_output=True, text=True, check=True)
    ours = [line for line in done.stderr.splitlines() if "code 501" not in line and '"GET /a.png' not in line]
    assert ours == []
