"""Speaking to the server as Label Studio does, and reading its answers."""

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
from label_studio_sdk.converter.brush import decode_rle

from server.core.prediction import Mask

LEGACY_TOKEN = "0123456789abcdef0123456789abcdef01234567"

PROJECT = "1.1795486364"
CONFIG = """<View>
  <Image name="image" value="$image"/>
  <BrushLabels name="brush" toName="image"><Label value="A"/><Label value="B"/></BrushLabels>
  <KeyPointLabels name="kp" toName="image" smart="true"><Label value="A"/><Label value="Only point"/></KeyPointLabels>
  <RectangleLabels name="rect" toName="image" smart="true"><Label value="A"/></RectangleLabels>
</View>"""


def click(x: float, y: float, width: int, height: int, **more: Any) -> dict[str, Any]:
    """A key point at (x, y) px of an image of width x height px."""
    value = {"x": 100 * x / width, "y": 100 * y / height, "width": 0.25, "keypointlabels": [more.pop("label", "A")]}
    return _item(f"kp{x}-{y}", "kp", "keypointlabels", value, width, height) | more


def box(x1: float, y1: float, x2: float, y2: float, width: int, height: int, **more: Any) -> dict[str, Any]:
    """A rectangle in px of an image of width x height px."""
    value = {"x": 100 * x1 / width, "y": 100 * y1 / height, "rotation": 0, "rectanglelabels": ["A"]}
    value |= {"width": 100 * (x2 - x1) / width, "height": 100 * (y2 - y1) / height}
    return _item(f"rect{x1}-{y1}", "rect", "rectanglelabels", value, width, height) | more


def shape(kind: str, value: dict[str, Any], width: int, height: int) -> dict[str, Any]:
    """A "brush", "polygon", "ellipse" or turned "rectangle" with this value in percent."""
    return _item(f"{kind}1", kind, f"{kind}labels", value | {f"{kind}labels": ["A"]}, width, height)


def _item(name: str, control: str, kind: str, value: dict[str, Any], width: int, height: int) -> dict[str, Any]:
    return {
        "id": name,
        "from_name": control,
        "to_name": "image",
        "type": kind,
        "origin": "manual",
        "original_width": width,
        "original_height": height,
        "image_rotation": 0,
        "value": value,
    }


def body(image: Any, drawn: Any, config: str = CONFIG, task: int = 1) -> dict[str, Any]:
    """A /predict body."""
    return {
        "tasks": [{"id": task, "data": {"image": image}, "annotations": [], "drafts": [], "predictions": []}],
        "project": PROJECT,
        "label_config": config,
        "params": {"login": None, "password": None, "context": {"result": drawn}},
    }


def decode_mask(region: dict[str, Any]) -> Mask:
    """A region's mask by the reference decoder; what the editor could not show fails here."""
    assert region["value"]["format"] == "rle"
    words = np.asarray(decode_rle(region["value"]["rle"]))
    height, width = region["original_height"], region["original_width"]
    assert words.size == 4 * width * height
    assert np.isin(words, (0, 255)).all()
    pixels = words.reshape(height, width, 4)
    assert (pixels == pixels[..., :1]).all()
    mask: Mask = pixels[..., 3] == 255
    return mask


def answered_mask(answer: Any) -> Mask:
    """The mask of the only region that an HTTP answer of /predict has."""
    assert answer.status_code == 200, answer.text
    (region,) = answer.json()["results"][0]["result"]
    return decode_mask(region)


class Studio:
    """Label Studio's list of tasks, as its API answers it; keeps what it was asked."""

    def __init__(self) -> None:
        self.tasks: dict[int, tuple[int, dict[str, Any]]] = {}  # id -> project, data
        self.asked: list[dict[str, Any]] = []
        self.status = 200

    def put(self, project: int, task: int, **data: Any) -> None:
        """Creates a task."""
        self.tasks[task] = project, data

    def answer(self, path: str) -> tuple[int, str, bytes]:
        """Status, content type and body for GET `path`, in the order of ids as Label Studio's default is."""
        asked: dict[str, Any] = {name: values[0] for name, values in parse_qs(urlsplit(path).query).items()}
        asked["query"] = json.loads(asked["query"])
        self.asked.append(asked)
        found = [
            {"id": task, "data": data, "project": project, "annotators": [], "total_annotations": 0}
            for task, (project, data) in sorted(self.tasks.items())
            if project == int(asked["project"]) and _selected(task, asked["query"])
        ]
        page = {"total": len(found), "tasks": found[: int(asked["page_size"])]}
        return self.status, "application/json", json.dumps(page).encode()


def _selected(task: int, query: dict[str, Any]) -> bool:
    for rule in query.get("filters", {}).get("items", ()):
        assert (rule["filter"], rule["operator"], rule["type"]) == ("filter:tasks:id", "greater", "Number")
        if task <= rule["value"]:
            return False
    chosen = query.get("selectedItems", {"all": True})
    return chosen["all"] or task in chosen["included"]
