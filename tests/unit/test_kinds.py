import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from server.core.items import DrawnItem
from server.core.kinds import kinds

RECORDED = Path(__file__).parents[1] / "recorded"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("keypoint_pos_neg", {"click": 1, "negative": 1}),
        ("keypoint_with_separate_Labels", {"click": 1}),
        ("rectangle_3point_rotated", {"box": 1}),
        ("ellipse_forced", {"ellipse": 1}),
        ("polygon_forced", {"polygon": 1}),
        ("brush_forced", {"brush": 1}),
    ],
)
def test_what_label_studio_recorded_is_called_by_its_kind(name: str, expected: dict[str, int]) -> None:
    recording = json.loads((RECORDED / f"predict_{name}.json").read_text())["body"]
    drawn = json.dumps(recording["params"]["context"]["result"])
    assert kinds(msgspec.json.decode(drawn, type=list[DrawnItem])) == expected


def test_items_without_an_id_count_each_and_pictures_are_masks() -> None:
    common: dict[str, Any] = {"from_name": "a", "to_name": "b", "original_width": 1, "original_height": 1}
    values = [{"x": 1, "y": 1}, {"x": 2, "y": 2}, {"maskDataURL": "data:"}, {"imageDataURL": "data:"}]
    items = msgspec.convert([common | {"value": value} for value in values], list[DrawnItem])
    assert kinds(items) == {"bitmask": 1, "brush": 1, "click": 2}
