"""A running samserve, asked as Label Studio asks it: it gives the reasons that Label Studio hides."""

from datetime import datetime
from typing import Any

import httpx

from server.errors import ServerRefused, ServerUnreachable
from server.images.reasons import reason
from server.images.url import redacted

_CALL_SECONDS = 60.0  # a first click encodes its image


class Served:
    """The samserve at `url`.

    Every method raises ServerUnreachable when no samserve answers there, and ServerRefused with what it says.
    """

    def __init__(
        self, url: str, user: str = "", password: str = "", transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self.url, self._transport = url.rstrip("/"), transport
        self._auth = httpx.BasicAuth(user, password) if user else None

    async def version(self) -> str:
        """The version of the model that it serves."""
        return str((await self._call("GET", "/health"))["model_version"])

    async def set_up(self, label_config: str, extra_params: dict[str, Any] | None) -> None:
        """Has it check a labeling config and answer options; they are of no project, so no project gets them."""
        await self._call("POST", "/setup", json={"schema": label_config, "extra_params": extra_params})

    async def click(self, project: dict[str, Any], task: dict[str, Any], context: dict[str, Any]) -> None:
        """Sends it what a smart tool drew on a task."""
        login = {"login": project.get("task_data_login"), "password": project.get("task_data_password")}
        body: dict[str, Any] = {"tasks": [{"id": task["id"], "data": task["data"]}], "project": _project_id(project)}
        body |= {"label_config": project["label_config"], "params": login | {"context": context}}
        await self._call("POST", "/predict", json=body)

    async def _call(self, method: str, path: str, **content: Any) -> dict[str, Any]:
        where = redacted(self.url)
        options: dict[str, Any] = {"auth": self._auth, "timeout": _CALL_SECONDS, "transport": self._transport}
        try:
            async with httpx.AsyncClient(**options, trust_env=False) as client:
                response = await client.request(method, self.url + path, **content)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise ServerUnreachable(f"no samserve answers at {where} ({reason(error)})") from None
        answer = _object(response)
        if response.is_success and ("model_version" in answer or "results" in answer):
            return answer
        if not response.is_success and "detail" in answer:
            raise ServerRefused(f"{response.status_code} from {where}: {answer['detail']}")
        raise ServerUnreachable(f"{response.status_code} from {where}{path}, but not as samserve answers")


def _object(response: httpx.Response) -> dict[str, Any]:
    try:
        answer = response.json()
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}


def _project_id(project: dict[str, Any]) -> str:
    """As Label Studio spells it: the number, a dot, the second in which it was made."""
    made = datetime.fromisoformat(project["created_at"])
    return f"{project['id']}.{int(made.timestamp())}"
