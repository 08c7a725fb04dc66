"""Traps that the environment sets, whatever else is right."""

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from server.doctor.chart import Finding

_LOCAL = {"localhost", "127.0.0.1", "::1"}


def container_trap(label_studio_url: str, *, in_container: bool) -> Finding | None:
    """Why a Label Studio on localhost is out of reach from a container."""
    host = urlsplit(label_studio_url).hostname or ""
    if not in_container or host not in _LOCAL:
        return None
    return Finding(
        "container",
        "warning",
        f"samserve runs in a container, where {host} is the container itself",
        "set LABEL_STUDIO_URL to the name of Label Studio's service, or to http://host.docker.internal:8080",
    )


def proxy_trap(environment: Mapping[str, str], label_studio_url: str) -> Finding | None:
    """A proxy that Label Studio, in such an environment, would ask for samserve."""
    host = urlsplit(label_studio_url).hostname or ""
    proxy = next((name for name in ("HTTP_PROXY", "http_proxy") if environment.get(name)), None)
    excepted = environment.get("NO_PROXY") or environment.get("no_proxy") or ""
    if not proxy or not host or host in excepted.split(","):
        return None
    return Finding(
        "proxy",
        "warning",
        f"{proxy} is set; samserve goes without it, but Label Studio, if it has it too, would call samserve through it",
        "in Label Studio's environment add samserve's host to NO_PROXY",
    )


def is_in_container() -> bool:
    """Whether Docker or Podman started this process."""
    return Path("/.dockerenv").exists() or Path("/run/.containerenv").exists()
