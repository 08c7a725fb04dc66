"""The bodies that Label Studio posts to an ML backend."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.scenes import Scene
from server.core.rle import encode_rle

_CONFIG = (
    '<View><Image name="image" value="$image"/>'
    '<BrushLabels name="brush" toName="image"><Label value="A"/></BrushLabels>'
    '<KeyPointLabels name="kp" toName="image" smart="true"><Label value="A"/></KeyPointLabels></View>'
)
_PROJECT = "1.1795486364"


@dataclass(frozen=True)
class Task:
    """A task with one image, which is a scene."""

    number: int
    image: str
    scene: Scene

    def payload(self, masks: Sequence[dict[str, Any]] = ()) -> dict[str, Any]:
        """The task as it is sent, with `masks` as its annotation."""
        annotations = [{"id": 1, "result": list(masks)}] if masks else []
        kept = {"annotations": annotations, "drafts": [], "predictions": []}
        return {"id": self.number, "data": {"image": self.image}, **kept}


def click(task: Task, number: int, masks: Sequence[dict[str, Any]] = ()) -> bytes:
    """Click `number` on a task that has `masks` already."""
    x, y = task.scene.place(number)
    value = {"x": x, "y": y, "width": 0.25, "keypointlabels": ["A"]}
    item = _item(task.scene, "kp", "keypointlabels", value) | {"id": f"click{number}", "is_positive": True}
    return _predict([task.payload(masks)], {"result": [item]})


def opened(tasks: Sequence[Task]) -> bytes:
    """A task was opened; or, with many, "Retrieve predictions" was chosen."""
    return _predict([task.payload() for task in tasks], None)


def deleted(tasks: Sequence[Task]) -> bytes:
    """The webhook that tells that tasks were deleted: what is still to be done for them is given up."""
    return json.dumps(
        {"action": "TASKS_DELETED", "project": {"id": 1}, "tasks": [{"id": task.number} for task in tasks]}
    ).encode()


def brush_masks(scene: Scene, count: int) -> list[dict[str, Any]]:
    """Regions with frayed edges, of some 20 KB of JSON each at 2 MP."""
    rng = np.random.default_rng(0)
    regions = []
    for number in range(count):
        frayed = scene.mask(number) & (rng.random((scene.size.height, scene.size.width)) > 0.007)
        value = {"format": "rle", "rle": encode_rle(frayed).tolist(), "brushlabels": ["A"]}
        regions.append(_item(scene, "brush", "brushlabels", value) | {"id": f"mask{number}"})
    return regions


def _item(scene: Scene, control: str, kind: str, value: dict[str, Any]) -> dict[str, Any]:
    size = {"original_width": scene.size.width, "original_height": scene.size.height, "image_rotation": 0}
    return {"from_name": control, "to_name": "image", "type": kind, "origin": "manual", "value": value, **size}


def _predict(tasks: list[dict[str, Any]], context: dict[str, Any] | None) -> bytes:
    body = {"tasks": tasks, "project": _PROJECT, "label_config": _CONFIG}
    return json.dumps(body | {"params": {"login": None, "password": None, "context": context}}).encode()
