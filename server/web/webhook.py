"""Webhooks -> task events. A payload that is not understood is none: Label Studio adds and changes them."""

from typing import TypeVar

import msgspec
import structlog

from server.core.task import Task
from server.service.task_events import TaskEvents
from server.web.schemas import WebhookProject, WebhookRequest, WebhookTask

T = TypeVar("T")

log = structlog.get_logger("samserve.webhook")


def pass_on(request: WebhookRequest, events: TaskEvents) -> None:
    """Tells `events` what happened, where that is of interest."""
    if request.action not in ("TASKS_CREATED", "TASKS_DELETED", "PROJECT_UPDATED"):
        return
    project = _read(request, request.project, WebhookProject)
    tasks = _read(request, request.tasks, list[WebhookTask])
    if project is None or tasks is None:
        return
    if request.action == "TASKS_DELETED":
        events.deleted({str(task.id) for task in tasks})
        return
    events.configured(project.project_id, project.label_config)
    events.created(project.project_id, [Task(str(task.id), task.data or {}) for task in tasks])


def _read(request: WebhookRequest, payload: msgspec.Raw, kind: type[T]) -> T | None:
    try:
        return msgspec.json.decode(payload, type=kind)
    except (msgspec.MsgspecError, RecursionError) as error:
        log.debug("webhook_not_understood", action=request.action, reason=str(error))
        return None
