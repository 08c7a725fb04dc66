"""Label Studio's REST API, as far as setting up a project needs it."""

import re
import ssl
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import httpx

from server.core.reference import Login
from server.errors import StudioRefused
from server.images.reasons import reason
from server.images.url import redacted

_CALL_SECONDS = 60.0  # adding a backend makes Label Studio call it several times


class StudioApi:
    """Calls Label Studio at `url`, signed by `auth`.

    Every method raises StudioRefused when Label Studio cannot be reached or does not do it, with its reason.
    """

    def __init__(self, url: str, auth: httpx.Auth, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self.url = url.rstrip("/")
        self._client = httpx.AsyncClient(
            auth=auth,
            timeout=_CALL_SECONDS,
            transport=transport,
            verify=ssl.create_default_context(),
            trust_env=False,  # as images are fetched: without a proxy
        )

    async def close(self) -> None:
        """Ends all connections."""
        await self._client.aclose()

    async def user(self) -> str:
        """The email address of the token's owner."""
        return str((await self._call("GET", "/api/current-user/whoami"))["email"])

    async def project(self, number: int) -> dict[str, Any]:
        """A project: id, title, label_config, task_number, task_data_login, task_data_password, ..."""
        found: dict[str, Any] = await self._call("GET", f"/api/projects/{number}")
        return found

    async def create_project(self, title: str, label_config: str) -> dict[str, Any]:
        """A new project."""
        made: dict[str, Any] = await self._call(
            "POST", "/api/projects", json={"title": title, "label_config": label_config}
        )
        return made

    async def set_label_config(self, project: int, label_config: str) -> None:
        """Replaces a project's labeling config."""
        await self._call("PATCH", f"/api/projects/{project}", json={"label_config": label_config})

    async def upload(self, project: int, files: Iterable[Path]) -> None:
        """Makes a task of each file; each file in a request of its own."""
        for path in files:
            with path.open("rb") as content:
                await self._call("POST", f"/api/projects/{project}/import", files={"file": (path.name, content)})

    async def backends(self, project: int) -> list[dict[str, Any]]:
        """The models that are connected to a project."""
        found: list[dict[str, Any]] = await self._call("GET", f"/api/ml?project={project}")
        return found

    async def check_address(self, url: str) -> None:
        """Has Label Studio say whether it may call `url` at all; it makes nothing, as there is no project 0."""
        try:
            await self._call("POST", "/api/ml", json={"url": url, "project": 0})
        except StudioRefused as error:
            if error.status == httpx.codes.FORBIDDEN or " url: " in str(error):
                raise

    async def put_backend(self, backend: int | None, connection: dict[str, Any]) -> dict[str, Any]:
        """Connects a model (None), or changes a connection; Label Studio calls the model while it does."""
        path, method = (f"/api/ml/{backend}", "PATCH") if backend else ("/api/ml", "POST")
        made: dict[str, Any] = await self._call(method, path, json=connection)
        return made

    async def delete_backend(self, backend: int) -> None:
        """Removes a connection."""
        await self._call("DELETE", f"/api/ml/{backend}")

    async def webhooks(self, project: int) -> list[dict[str, Any]]:
        """The project's webhooks."""
        found: list[dict[str, Any]] = await self._call("GET", f"/api/webhooks/?project={project}")
        return found

    async def create_webhook(self, project: int, url: str) -> None:
        """Has all events of a project sent to `url`, with what they are about."""
        hook = {"project": project, "url": url, "send_payload": True, "send_for_all_actions": True, "is_active": True}
        await self._call("POST", "/api/webhooks/", json=hook)

    async def delete_webhook(self, hook: int) -> None:
        """Removes a webhook."""
        await self._call("DELETE", f"/api/webhooks/{hook}/")

    async def tasks(self, project: int, count: int) -> list[dict[str, Any]]:
        """The first `count` tasks of a project: id, data, ..."""
        query = f"project={project}&page_size={count}&resolve_uri=false&review=true"
        found: list[dict[str, Any]] = (await self._call("GET", f"/api/tasks/?{query}"))["tasks"]
        return found

    async def task(self, number: int) -> dict[str, Any]:
        """A task: id, data, project, ..."""
        found: dict[str, Any] = await self._call("GET", f"/api/tasks/{number}?resolve_uri=false")
        return found

    async def click(self, backend: int, task: int, context: dict[str, Any]) -> list[dict[str, Any]]:
        """What a connected model answers to what a smart tool drew on a task; nothing is stored."""
        path = f"/api/ml/{backend}/interactive-annotating"
        answer = await self._call("POST", path, json={"task": task, "context": context})
        if answer.get("errors"):
            raise StudioRefused(_text(answer["errors"]))
        found: list[dict[str, Any]] = answer["data"]["result"]
        return found

    async def _call(self, method: str, path: str, **content: Any) -> Any:
        where = f"{method} {redacted(self.url + path)}"
        try:
            response = await self._client.request(method, self.url + path, **content)
        except httpx.HTTPError as error:
            raise StudioRefused(f"{where}: Label Studio cannot be reached ({reason(error)})") from None
        if response.is_success:
            return _content(response, where)
        raise StudioRefused(f"{where}: {_reason(response)}", response.status_code)


def _content(response: httpx.Response, where: str) -> Any:
    try:
        return response.json() if response.content else None
    except ValueError:
        raise StudioRefused(f"{where} answers no JSON: is this Label Studio?", response.status_code) from None


def login_of(project: dict[str, Any]) -> Login | None:
    """What a project, as the API tells it, gives for the servers of its images."""
    login = project.get("task_data_login")
    return Login(login, project.get("task_data_password") or "") if login else None


def _reason(response: httpx.Response) -> str:
    if response.is_redirect:
        return f"{response.status_code}, a redirect: set LABEL_STUDIO_URL to where Label Studio really is"
    if response.status_code == httpx.codes.UNAUTHORIZED:
        return (
            "401: LABEL_STUDIO_API_KEY is not accepted. Take a personal access token from Account & Settings; legacy "
            "tokens are off unless the organization allows them"
        )
    try:
        answer = response.json()
    except ValueError:
        return f"{response.status_code}; is this Label Studio?"
    detail = answer.get("validation_errors") or answer.get("detail") if isinstance(answer, dict) else None
    return f"{response.status_code}: {_text(detail or answer)}"


def _text(detail: Any) -> str:
    """Label Studio's reason without its lists, field names of its own, and links."""
    if isinstance(detail, dict):
        named = ((name, _text(inner)) for name, inner in detail.items())
        return "; ".join(inner if name == "non_field_errors" else f"{name}: {inner}" for name, inner in named)
    if isinstance(detail, list):
        return "; ".join(map(_text, detail))
    return re.sub(r"<[^>]+>", "", str(detail))
