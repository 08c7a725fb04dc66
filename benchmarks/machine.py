"""What machine this is, in general words, and how busy."""

import os
import re
from pathlib import Path

from server.settings import Settings

_BUSY = 0.5  # other processes that want to run, on average


def description() -> str:
    """Such as "2 cores, AMD EPYC"."""
    cores = Settings().cores
    model = re.search(r"^model name\s*: (.+)$", _cpuinfo(), re.MULTILINE)
    name = re.sub(r"\(R\)|\(TM\)|\bProcessor\b|@.*|\d+-Core.*", "", model[1]).strip() if model else "unknown processor"
    return f"{cores} core{'s' if cores > 1 else ''}, {name}"


def load() -> float:
    """Processes that ran or wanted to, on average over the last minute."""
    return os.getloadavg()[0]


def busyness(before: float) -> str:
    """How far a run's milliseconds can be believed, by the load before it began."""
    if before < _BUSY:
        return f"load {before:.1f} before the run"
    return f"load {before:.1f} before the run: the machine was busy, only ratios mean something"


def _cpuinfo() -> str:
    path = Path("/proc/cpuinfo")
    return path.read_text() if path.exists() else ""
