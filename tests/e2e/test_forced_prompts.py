"""Prompts that the editor does not send today, through the endpoint it would send them to."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from label_studio_sdk.converter.brush import mask2rle
from PIL import Image, ImageDraw

from tests.e2e.api import Api, Json, Project
from tests.e2e.pictures import EGG, HEIGHT, WIDTH, Mask, board, board_corners, egg, yolk
from tests.e2e.regions import mask_of
from tests.overlap import overlap

pytestmark = pytest.mark.e2e

_TAGS = ("BrushLabels", "BitmaskLabels", "EllipseLabels", "PolygonLabels")
_CONFIG = (
    '<View><Image name="image" value="$image"/>'
    + "".join(f'<{tag} name="{tag}" toName="image" smart="true"><Label value="Object"/></{tag}>' for tag in _TAGS)
    + "</View>"
)


def _scribble() -> Json:
    canvas = Image.new("L", (WIDTH, HEIGHT))
    ImageDraw.Draw(canvas).line([(240, 300), (300, 280), (360, 300)], fill=255, width=10)
    return {"format": "rle", "rle": mask2rle(np.asarray(canvas))}  # type: ignore[no-untyped-call]


_ROUND = {"x": 100 * EGG[0] / WIDTH, "y": 100 * EGG[1] / HEIGHT, "radiusX": 26, "radiusY": 34, "rotation": 0}
_CORNERS = {"points": [[100 * x / WIDTH, 100 * y / HEIGHT] for x, y in board_corners()], "closed": True}


@pytest.mark.parametrize(
    ("tag", "value", "expected"),
    [("BrushLabels", _scribble(), yolk), ("EllipseLabels", _ROUND, egg), ("PolygonLabels", _CORNERS, board)],
)
def test_what_is_drawn_roughly_becomes_the_mask(
    api: Api,
    project_for: Callable[[str], Project],
    pictures: Path,
    tag: str,
    value: Json,
    expected: Callable[[], Mask],
) -> None:
    project = project_for(_CONFIG)
    task = api.upload(project, pictures / "egg.png")
    drawn: Json = {"id": "drawn12345", "from_name": tag, "to_name": "image", "type": tag.lower(), "origin": "manual"}
    drawn |= {"original_width": WIDTH, "original_height": HEIGHT, "image_rotation": 0}
    answer = api.interactive(project, task, [drawn | {"value": value | {tag.lower(): ["Object"]}}])
    (region,) = answer["data"]["result"]
    assert overlap(mask_of(region), expected()) > 0.95
