"""What a client announces with `params.context.event`, as Label Studio's own interactive SAM2 backend answers it.

`capabilities` tells which prompts and controls are understood, `prewarm` has a task's images encoded, `release` gives
up those that are not encoded yet. Frames of a video are the images of a task here: `cached` and `pending` count them.
"""

from typing import Any

import msgspec

from server.core.identifier import new_id
from server.core.labelconfig import parse_label_config
from server.errors import BadTask
from server.service.task_events import TaskEvents
from server.web.model_info import ModelInfo
from server.web.schemas import PredictRequest

_TARGETS = {
    "BrushLabels": "mask",
    "BitmaskLabels": "mask",
    "PolygonLabels": "polygon",
    "VectorLabels": "polygon",
    "RectangleLabels": "bbox",
}


class Acknowledgement(msgspec.Struct, frozen=True, omit_defaults=True):
    """The only result item of such an answer; no region."""

    id: str
    type: str
    value: dict[str, Any]
    origin: str = msgspec.field(default_factory=lambda: "manual")  # a factory: it is never omitted
    from_name: str | None = None
    to_name: str | None = None


class Announced:
    """Answers announcements."""

    def __init__(self, events: TaskEvents, model: ModelInfo) -> None:
        self._events, self._model = events, model

    async def answer(self, request: PredictRequest) -> Acknowledgement | None:
        """The acknowledgement; None where the event is none of these, and the request is what it is without it.

        Raises:
            BadRequest: no task, or a labeling config that does not parse.
        """
        if request.event == "capabilities":
            return Acknowledgement(new_id(), "capabilities", self._capabilities())
        if request.event not in ("prewarm", "release"):
            return None
        if not request.tasks:
            raise BadTask("tasks is empty; expected one task")
        if request.event == "prewarm":
            return _acknowledge(request, "prewarm_ack", await self._prewarm(request))
        self._events.released(request.tasks[0].told.id)
        return _acknowledge(request, "release_ack", {"status": "released"})

    def _capabilities(self) -> dict[str, Any]:
        return {
            "prompts": ["point", "box"],
            "targets": [{"tag": tag, "output": output} for tag, output in _TARGETS.items()],
            "model_info": {"name": self._model.title, "version": self._model.version},
        }

    async def _prewarm(self, request: PredictRequest) -> dict[str, Any]:
        told = self._events.told(request.project_id, request.label_config, request.login)
        kept = await self._events.prewarm(told, request.tasks[0].told)
        return {
            "status": "ok",
            "cached": [number for number, is_kept in enumerate(kept) if is_kept],
            "pending": [number for number, is_kept in enumerate(kept) if not is_kept],
        }


def _acknowledge(request: PredictRequest, kind: str, value: dict[str, Any]) -> Acknowledgement:
    """Named after the first control of an image, as every item of a result belongs to one."""
    config = parse_label_config(request.label_config or "<View/>")
    images = {tag.name for tag in config.objects if tag.kind == "Image"}
    for control in config.controls:
        for to_name in images.intersection(control.to_names):
            return Acknowledgement(new_id(), kind, value, from_name=control.name, to_name=to_name)
    return Acknowledgement(new_id(), kind, value)
