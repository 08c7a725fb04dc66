"""What a log line looks like where no terminal reads it."""

import json
import subprocess
import sys

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


def test_details_are_logged_where_asked_for() -> None:
    assert [line["event"] for line in lines(debug=True)] == ["detail", "broken"]
