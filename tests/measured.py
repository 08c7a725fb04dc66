"""What a server tells of itself: where a request's time went, and what it counts."""


def stages(server_timing: str) -> dict[str, float]:
    """Milliseconds by stage, in order, of a Server-Timing header."""
    entries = (entry.strip().split(";dur=") for entry in server_timing.split(","))
    return {name: float(milliseconds) for name, milliseconds in entries}


def counters(exposition: str) -> dict[str, float]:
    """Values by name and labels, as /metrics tells them to Prometheus."""
    lines = (line.rpartition(" ") for line in exposition.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, _, value in lines}
