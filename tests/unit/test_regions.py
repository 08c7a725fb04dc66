"""Masks as the items of an answer."""

from typing import Any

import msgspec
import numpy as np
import pytest
from label_studio_sdk.converter.brush import decode_rle

from server.core.context import Gesture
from server.core.geometry import Box, ImageSize
from server.core.labelconfig import ControlTag
from server.core.options import AnswerOptions
from server.core.prediction import Mask, MaskPrediction
from server.core.prompt import Prompt
from server.core.region import regions
from tests.unit.masks import disc

TWO_PARTS = disc(60, 90, 25, 30, (20, 15)) | disc(60, 90, 70, 30, (10, 8))
GESTURE = Gesture(Prompt(ImageSize(60, 90), (), Box(1, 1, 50, 50)), "image", "kp", ("A", "B"), 2, 90.0)


def answered(mask: Mask, kind: str, options: AnswerOptions | None = None, score: float = 0.9) -> list[dict[str, Any]]:
    control = ControlTag(kind, "control", ("image",), ("A",) if kind.endswith("Labels") else (), closable=True)
    prediction = MaskPrediction(mask, score, np.zeros((256, 256), np.float32))
    items = regions(prediction, "r1", GESTURE, control, options or AnswerOptions())
    decoded: list[dict[str, Any]] = msgspec.json.decode(msgspec.json.encode(items))
    return decoded


KINDS = {
    "Brush": {"format", "rle"},
    "Bitmask": {"imageDataURL"},
    "Polygon": {"points", "closed"},
    "Vector": {"vertices", "closed"},
    "Ellipse": {"x", "y", "radiusX", "radiusY", "rotation"},
    "Rectangle": {"x", "y", "width", "height", "rotation"},
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_region_has_the_type_and_the_keys_by_which_the_editor_knows_it(kind: str) -> None:
    region = answered(TWO_PARTS, kind)[0]
    assert region["type"] == kind.lower()
    assert set(region["value"]) == KINDS[kind]
    assert (region["from_name"], region["to_name"], region["origin"]) == ("control", "image", "manual")
    assert (region["original_width"], region["original_height"]) == (90, 60)
    assert (region["image_rotation"], region["item_index"]) == (90.0, 2)


@pytest.mark.parametrize("kind", KINDS)
def test_labels_are_kept_where_the_control_has_them(kind: str) -> None:
    (region, *_) = answered(TWO_PARTS, f"{kind}Labels")
    assert region["type"] == f"{kind.lower()}labels"
    assert region["value"][f"{kind.lower()}labels"] == ["A"]


@pytest.mark.parametrize(("kind", "count"), list(zip(KINDS, (1, 1, 2, 2, 1, 1), strict=True)))
def test_parts_become_regions_with_ids_of_their_own_where_one_cannot_hold_them(kind: str, count: int) -> None:
    items = answered(TWO_PARTS, kind)
    assert [item["id"] for item in items] == ["r1", "r1-2"][:count]


def test_the_vertices_of_a_vector_form_one_chain() -> None:
    vertices = answered(TWO_PARTS, "Vector")[0]["value"]["vertices"]
    assert [vertex["prevPointId"] for vertex in vertices] == [None, *(vertex["id"] for vertex in vertices[:-1])]
    assert len({vertex["id"] for vertex in vertices}) == len(vertices) > 3
    assert not any(vertex["isBezier"] for vertex in vertices)


def test_options_are_applied_before_the_mask_is_answered() -> None:
    assert len(answered(TWO_PARTS, "Polygon", AnswerOptions(keep="largest"))) == 1
    (region,) = answered(TWO_PARTS, "Rectangle", AnswerOptions(keep="largest"))
    assert region["value"]["x"] + region["value"]["width"] == pytest.approx(50, abs=1.2)
    coarse, fine = (answered(TWO_PARTS, "Polygon", AnswerOptions(tolerance=t))[0]["value"]["points"] for t in (5, 0.5))
    assert len(coarse) < len(fine)


def test_a_brush_region_holds_the_mask_to_the_pixel() -> None:
    (region,) = answered(TWO_PARTS, "Brush")
    decoded = np.asarray(decode_rle(region["value"]["rle"])).reshape(60, 90, 4)
    assert ((decoded[..., 3] == 255) == TWO_PARTS).all()


@pytest.mark.parametrize("kind", KINDS)
def test_an_empty_mask_has_no_region(kind: str) -> None:
    assert answered(np.zeros((60, 90), bool), kind, AnswerOptions(smooth=3, keep="largest")) == []


@pytest.mark.parametrize(("raw", "told"), [(1.02, 1.0), (-0.1, 0.0), (0.5, 0.5)])
def test_a_score_is_from_0_to_1(raw: float, told: float) -> None:
    assert answered(TWO_PARTS, "Rectangle", score=raw)[0]["score"] == told
