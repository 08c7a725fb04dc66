"""Boxes on photographs, against masks that people drew."""

import json
from statistics import median

import numpy as np
import pytest
from PIL import Image

from tests.e2e.api import Api, Json, Project
from tests.e2e.conftest import OpenEditor
from tests.e2e.regions import mask_of
from tests.overlap import overlap
from tests.weights.robot import quality_set

pytestmark = pytest.mark.e2e


def test_boxes_agree_with_people(open_editor: OpenEditor, api: Api, project: Project) -> None:
    folder = quality_set()
    photos = [photo for photo in json.loads((folder / "index.json").read_bytes())["items"] if _is_within(photo)]
    ious = list[float]()
    for photo in photos[:3]:
        thing = photo["objects"][0]
        task = api.upload(project, folder / photo["image"])
        editor = open_editor(project, task)
        editor.drag_box(tuple(thing["bbox"][:2]), tuple(thing["bbox"][2:]))
        editor.accept()
        editor.submit()
        drawn = np.asarray(Image.open(folder / photo["mask"])) == thing["id"]
        ious.append(overlap(mask_of(api.stored_regions(task)[0]), drawn))
    assert median(ious) > 0.7, ious  # MobileSAM is no better on these three


def _is_within(photo: Json) -> bool:
    """Whether the first object keeps away from the picture's edges, of which the editor hides some pixels."""
    x1, y1, x2, y2 = photo["objects"][0]["bbox"]
    return bool(min(x1, y1, photo["width"] - x2, photo["height"] - y2) > 10)
