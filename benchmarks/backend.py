"""An ML backend of Label Studio's, on the loopback, spoken to as Label Studio does: a connection for each request."""

import http.client
import ipaddress
import json
import time
from dataclasses import dataclass, field
from urllib.parse import urlsplit

_SECONDS = 60.0  # the longest wait for an answer


class NotLocal(ValueError):
    """The URL is not one of this machine's: a benchmark is load, and nobody else's server should bear it."""


class NotUp(Exception):
    """Nothing answers there, or no ML backend."""


@dataclass(frozen=True)
class Answer:
    """What came back, and when; status 0 means that nothing did, and `content` says why."""

    ms: float
    status: int
    content: bytes
    stages: dict[str, float] = field(default_factory=dict)  # ms


class Backend:
    """One backend.

    Raises:
        NotLocal: `url` is not http://, or not on the loopback.
    """

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        parts = urlsplit(self.url)
        if parts.scheme != "http" or not _is_loopback(parts.hostname or ""):
            raise NotLocal(f"{url}: only backends at http://127.0.0.1, http://localhost or http://[::1] are measured")
        self.address = (parts.hostname or "", parts.port or 80)
        self._path = parts.path

    def post(self, path: str, body: bytes) -> Answer:
        """Posts JSON; the time runs from before the connection to the last byte of the answer."""
        connection = http.client.HTTPConnection(*self.address, timeout=_SECONDS)
        started = time.perf_counter()
        try:
            connection.request("POST", self._path + path, body, {"Content-Type": "application/json"})
            response = connection.getresponse()
            content, status = response.read(), response.status
            stages = parse_server_timing(response.getheader("Server-Timing", ""))
        except (OSError, http.client.HTTPException) as error:
            content, status, stages = repr(error).encode(), 0, {}
        finally:
            connection.close()
        return Answer((time.perf_counter() - started) * 1e3, status, content, stages)

    def name(self) -> str:
        """What it says that it is.

        Raises:
            NotUp: it does not say.
        """
        connection = http.client.HTTPConnection(*self.address, timeout=_SECONDS)
        try:
            connection.request("GET", self._path + "/health")
            told = json.loads(connection.getresponse().read())
            return f"{told.get('model_class', 'unknown')} {told.get('model_version', '')}".strip()
        except (OSError, http.client.HTTPException, ValueError, AttributeError) as error:
            raise NotUp(f"{self.url}/health: no ML backend of Label Studio's answers: {error!r}") from error
        finally:
            connection.close()


def parse_server_timing(header: str) -> dict[str, float]:
    """Milliseconds by name, of a Server-Timing header; entries without a duration are left out."""
    stages = {}
    for entry in header.split(","):
        name, *parameters = (part.strip() for part in entry.split(";"))
        for parameter in parameters:
            key, _, value = parameter.partition("=")
            if key == "dur":
                stages[name] = float(value)
    return stages


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
