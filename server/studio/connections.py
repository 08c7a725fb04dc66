"""Which of a project's connections is samserve's, which is a dead one of its own, and which one smart tools call."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from server.images.url import redacted

_NOBODY_ANSWERS = "DI"  # Label Studio's state of a connection: its health check failed


@dataclass(frozen=True, slots=True)
class Connections:
    """A project's connections, seen from a samserve at an address.

    Attributes:
        here: the one to that address; None without one.
        dead: samserve's own, by title or model version, to other addresses where nobody answers.
    """

    here: dict[str, Any] | None
    dead: tuple[dict[str, Any], ...]

    @property
    def kept(self) -> dict[str, Any] | None:
        """The one that becomes the connection to the address, and so keeps its place in the order."""
        return self.here or next(iter(self.dead), None)

    @property
    def replaced(self) -> str:
        """What is shown before the dead ones are replaced."""
        gone = [f"-  {redacted(backend['url'])} ({backend['title']}), where nobody answers" for backend in self.dead]
        return "\n".join(gone)


def seen_from(url: str, title: str, version: str, backends: Sequence[dict[str, Any]]) -> Connections:
    """The connections, as the API lists them, for the samserve at `url` that serves the model `version` ("": any)."""
    here = next((backend for backend in backends if _is_at(backend, url)), None)
    dead = [
        backend
        for backend in backends
        if not _is_at(backend, url)
        and backend["state"] == _NOBODY_ANSWERS
        and (backend["title"] == title or (version and backend["model_version"] == version))
    ]
    return Connections(here, tuple(dead))


def in_the_way(url: str, backends: Sequence[dict[str, Any]]) -> str:
    """What to do about another model that smart tools call instead of the one at `url`; empty when all is well."""
    called = next((backend for backend in backends if backend["is_interactive"]), None)
    if called is None or _is_at(called, url):
        return ""
    return (
        f"smart tools call {redacted(called['url'])} ({called['title']}), the first interactive model of the project, "
        f"and not {redacted(url)}: remove that one, or switch off its Interactive preannotations, in Project settings "
        "-> Model"
    )


def _is_at(backend: dict[str, Any], url: str) -> bool:
    return bool(backend["url"].rstrip("/") == url.rstrip("/"))
