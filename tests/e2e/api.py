"""What the tests do through Label Studio's REST API: projects, tasks, annotations, forced prompts."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

Json = dict[str, Any]


@dataclass(frozen=True)
class Project:
    """A project's id and the id of its connected ML backend."""

    id: int
    backend: int


class Api:
    """What `http`, which signs with a user's token, is used for."""

    def __init__(self, http: httpx.Client) -> None:
        self._http = http

    def create_project(self, title: str, config: str, backend: str) -> Project:
        """A project that is connected to the ML backend at the URL `backend`, for interactive use."""
        project = self._post("/api/projects", {"title": title, "label_config": config})["id"]
        body = {"url": backend, "project": project, "is_interactive": True, "title": "samserve"}
        return Project(project, self._post("/api/ml", body)["id"])

    def upload(self, project: Project, picture: Path) -> int:
        """A task for an uploaded picture."""
        return self._import(project, files={"file": (picture.name, picture.read_bytes())})

    def add_url(self, project: Project, url: str) -> int:
        """A task for a picture that is fetched from `url`."""
        return self._import(project, json=[{"image": url}])

    def add_local_folder(self, project: Project, folder: Path) -> list[int]:
        """Tasks for the pictures of a local storage."""
        body = {"project": project.id, "path": str(folder), "use_blob_urls": True, "regex_filter": ".*"}
        storage = self._post("/api/storages/localfiles", body)["id"]
        self._post(f"/api/storages/localfiles/{storage}/sync", {})
        tasks = self._get("/api/tasks", {"project": project.id, "fields": "all"})["tasks"]
        return [task["id"] for task in tasks if "local-files" in task["data"]["image"]]

    def stored_regions(self, task: int) -> list[Json]:
        """What a task's one annotation holds."""
        (annotation,) = self._get(f"/api/tasks/{task}/annotations/")
        regions: list[Json] = annotation["result"]
        return regions

    def backend(self, project: Project) -> Json:
        """What Label Studio thinks of a project's backend."""
        state: Json = self._get(f"/api/ml/{project.backend}")
        return state

    def train(self, project: Project) -> httpx.Response:
        """What the button "Start training" does."""
        return self._http.post(f"/api/ml/{project.backend}/train", json={})

    def interactive(self, project: Project, task: int, drawn: list[Json]) -> Json:
        """What the editor would get for `drawn` prompts."""
        body = {"task": task, "context": {"result": drawn}}
        answer: Json = self._post(f"/api/ml/{project.backend}/interactive-annotating", body)
        return answer

    def _import(self, project: Project, **body: Any) -> int:
        path = f"/api/projects/{project.id}/import?return_task_ids=true"
        task: int = _read(self._http.post(path, **body))["task_ids"][0]
        return task

    def _post(self, path: str, body: Json) -> Any:
        return _read(self._http.post(path, json=body))

    def _get(self, path: str, query: Json | None = None) -> Any:
        return _read(self._http.get(path, params=query))


def _read(answer: httpx.Response) -> Any:
    assert answer.is_success, f"{answer.request.method} {answer.request.url}: {answer.status_code} {answer.text[:500]}"
    return answer.json()
