import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from server.core.context import Gesture, gestures
from server.core.geometry import Box, ImageSize, Point
from server.core.items import DrawnItem
from server.core.prompt import Carving, Prompt
from server.errors import BadPrompt

RECORDED = Path(__file__).parents[1] / "recorded"


def drawn(*items: dict[str, Any]) -> list[DrawnItem]:
    """Items as they come out of a request's JSON, on an image of 200 x 100 px."""
    common = {"from_name": "click", "to_name": "image", "original_width": 200, "original_height": 100}
    return msgspec.json.decode(json.dumps([common | item for item in items]), type=list[DrawnItem])


def click(x: float, y: float, **more: Any) -> dict[str, Any]:
    return {"value": {"x": x, "y": y, "width": 0.2, "keypointlabels": ["Dog"]}, "id": f"{x}-{y}", **more}


def rectangle(x: float, y: float, width: float, height: float, **value: Any) -> dict[str, Any]:
    return {"value": {"x": x, "y": y, "width": width, "height": height, **value}, "id": f"{x}-{y}-{width}-{height}"}


def recorded(name: str) -> list[DrawnItem]:
    request = json.loads((RECORDED / f"{name}.json").read_text())
    request = request.get("body", request)
    return msgspec.convert(request["params"]["context"]["result"], list[DrawnItem])


def prompt_of(gesture: Gesture) -> Prompt:
    assert isinstance(gesture.prompt, Prompt)
    return gesture.prompt


def box_of(*items: dict[str, Any]) -> tuple[float, ...]:
    (gesture,) = gestures(drawn(*items))
    prompt = prompt_of(gesture)
    assert prompt.box is not None
    assert len(prompt.points) == (prompt.drawn is not None)  # a filled shape has a click inside
    box = prompt.box
    return box.x1, box.y1, box.x2, box.y2


def test_nothing_drawn_asks_for_nothing() -> None:
    assert gestures([]) == ()


def test_negative_clicks_alone_are_a_carving() -> None:
    (gesture,) = gestures(drawn(click(50, 50, is_positive=False), click(25, 50, is_positive=False)))
    points = (Point(100, 50, positive=False), Point(50, 50, positive=False))
    assert gesture.prompt == Carving(ImageSize(100, 200), points)
    assert gesture.labels == ("Dog",)


def test_a_gesture_knows_the_items_that_were_drawn() -> None:
    (gesture,) = gestures(drawn(click(10, 10, id="a"), click(20, 20, id="b"), click(30, 30, id="")))
    assert gesture.item_ids == {"a", "b"}


def test_a_click_is_a_point_in_pixels() -> None:
    (gesture,) = gestures(drawn(click(25, 50)))
    assert gesture.prompt.frame == ImageSize(100, 200)
    assert gesture.prompt.points == (Point(50, 50, positive=True),)
    assert prompt_of(gesture).box is None
    assert (gesture.to_name, gesture.from_name, gesture.labels) == ("image", "click", ("Dog",))
    assert (gesture.item_index, gesture.image_rotation) == (None, 0.0)


def test_clicks_ask_for_one_region_together_in_the_order_they_were_made() -> None:
    (gesture,) = gestures(drawn(click(10, 10), click(20, 20, is_positive=False), click(30, 30)))
    assert gesture.prompt.points == (Point(20, 10), Point(40, 20, positive=False), Point(60, 30))


def test_the_same_click_twice_counts_once() -> None:
    (gesture,) = gestures(drawn(click(10, 10, id="a"), click(10, 10, id="b"), click(10, 10, id="c", is_positive=False)))
    assert gesture.prompt.points == (Point(20, 10), Point(20, 10, positive=False))


def test_items_without_an_id_are_drawings_of_their_own() -> None:
    (gesture,) = gestures(drawn(click(10, 10, id=""), click(20, 20, id="")))
    assert gesture.prompt.points == (Point(20, 10), Point(40, 20))


@pytest.mark.parametrize(
    ("x", "y", "point"),
    [(0, 0, Point(0, 0)), (100, 100, Point(200, 100)), (-0.5, 50, Point(0, 50)), (100.5, 100.4, Point(200, 100))],
)
def test_a_click_at_the_edge_or_a_little_off_it_counts_there(x: float, y: float, point: Point) -> None:
    (gesture,) = gestures(drawn(click(x, y)))
    assert gesture.prompt.points == (point,)


@pytest.mark.parametrize(
    ("item", "said"),
    [
        (click(-0.6, 50), r"'-0.6-50' at \(-1.2, 50\) px lies outside of its image, which has 200 x 100 px"),
        (click(50, 150, is_positive=False), r"at \(100, 150\) px"),
        (rectangle(110, 20, 10, 20), r"at \(220, 20\) to \(240, 40\) px"),
        (rectangle(10, 120, 10, 0), r"at \(20, 120\) to \(40, 120\) px"),
        (rectangle(-5, 5, 9, 9, rotation=180), "outside"),
        ({"value": {"x": 150, "y": 50, "radiusX": 10, "radiusY": 20}}, "outside"),
        ({"value": {"points": [[-10, 10], [-30, 20], [-20, 60]]}}, "outside"),
    ],
    ids=str,
)
def test_what_lies_outside_of_the_image_is_refused_with_the_numbers(item: dict[str, Any], said: str) -> None:
    with pytest.raises(BadPrompt, match=said):
        gestures(drawn(item))


def test_items_that_share_an_id_are_one_drawing_and_any_of_them_may_have_the_label() -> None:
    bare = {"x": 10, "y": 20, "width": 30, "height": 40}
    twins = drawn(
        {"value": bare, "id": "a", "from_name": "box"},
        {"value": bare | {"labels": ["Cat"]}, "id": "a", "from_name": "label"},
    )
    (gesture,) = gestures(twins)
    assert prompt_of(gesture).box == Box(20, 20, 80, 60)
    assert gesture.labels == ("Cat",)


def test_only_the_first_of_items_that_share_an_id_is_drawn() -> None:
    bare = {"x": 50, "y": 50, "labels": ["Dog"]}
    negative = {"value": bare, "id": "no", "is_positive": False}
    twin = {"value": bare, "id": "no", "from_name": "label"}
    (gesture,) = gestures(drawn(click(10, 10), negative, twin))
    assert gesture.prompt.points == (Point(20, 10), Point(100, 50, positive=False))


def test_the_last_drawings_label_counts() -> None:
    first, second = click(10, 10), click(20, 20)
    second["value"]["keypointlabels"] = ["Cat"]
    (gesture,) = gestures(drawn(first, second))
    assert gesture.labels == ("Cat",)


def test_a_last_drawing_without_a_label_takes_the_one_before() -> None:
    second = click(20, 20)
    del second["value"]["keypointlabels"]
    (gesture,) = gestures(drawn(click(10, 10), second))
    assert gesture.labels == ("Dog",)


@pytest.mark.parametrize(
    "key", ["labels", "keypointlabels", "rectanglelabels", "ellipselabels", "polygonlabels", "brushlabels"]
)
def test_labels_are_read_from_whichever_key_the_tool_writes(key: str) -> None:
    (gesture,) = gestures(drawn({"value": {"x": 1, "y": 1, key: ["Cat", "Grey"]}}))
    assert gesture.labels == ("Cat", "Grey")


def test_a_click_without_labels_is_a_click() -> None:
    (gesture,) = gestures(drawn({"value": {"x": 1, "y": 1}}))
    assert gesture.labels == ()


@pytest.mark.parametrize(
    ("item", "corners"),
    [
        (rectangle(10, 20, 30, 40), (20, 20, 80, 60)),
        (rectangle(50, 50, 10, 20, rotation=90), (80, 50, 100, 70)),
        (rectangle(50, 50, 10, 20, rotation=180), (80, 30, 100, 50)),
        (rectangle(90, 90, 30, 30), (180, 90, 200, 100)),
        (rectangle(-10, -10, 20, 20), (0, 0, 20, 10)),
        ({"value": {"x": 50, "y": 50, "radiusX": 10, "radiusY": 20}}, (80, 30, 120, 70)),
        ({"value": {"x": 50, "y": 50, "radiusX": 10, "radiusY": 40, "rotation": 90}}, (60, 30, 140, 70)),
        ({"value": {"x": 0, "y": 0, "radiusX": 10, "radiusY": 20}}, (0, 0, 20, 20)),
        ({"value": {"points": [[10, 10], [30, 20], [20, 60]], "closed": True}}, (20, 10, 60, 60)),
        ({"value": {"points": [[-10, 10], [130, 20], [20, 160]]}}, (0, 10, 200, 100)),
    ],
    ids=str,
)
def test_a_shape_is_the_box_around_it_within_the_image(item: dict[str, Any], corners: tuple[float, ...]) -> None:
    assert box_of(item) == pytest.approx(corners)


@pytest.mark.parametrize(
    ("item", "point"),
    [
        (rectangle(10, 20, 0, 0), Point(20, 20)),
        (rectangle(10, 20, 30, 0), Point(50, 20)),
        (rectangle(10, 20, 0, 40), Point(20, 40)),
        ({"value": {"points": [[10, 20]]}}, Point(20, 20)),
        (rectangle(100, 20, 10, 20), Point(200, 30)),
    ],
    ids=str,
)
def test_a_shape_without_an_area_is_a_click_in_its_middle(item: dict[str, Any], point: Point) -> None:
    (gesture,) = gestures(drawn(item))
    assert gesture.prompt.points == (point,)
    assert prompt_of(gesture).box is None


def test_each_box_asks_for_a_region_and_clicks_count_for_each() -> None:
    first, second = gestures(
        drawn(rectangle(0, 0, 10, 10), click(50, 50, is_positive=False), rectangle(50, 50, 10, 10))
    )
    assert prompt_of(first).box == Box(0, 0, 20, 10)
    assert prompt_of(second).box == Box(100, 50, 120, 60)
    assert first.prompt.points == second.prompt.points == (Point(100, 50, positive=False),)


def test_each_box_keeps_its_own_label_and_one_without_takes_the_last() -> None:
    labelled = [rectangle(0, 0, 10, 10, labels=["Cat"]), rectangle(50, 50, 10, 10, rectanglelabels=["Dog"])]
    bare = rectangle(20, 20, 10, 10)
    assert [gesture.labels for gesture in gestures(drawn(labelled[0], bare, labelled[1]))] == [
        ("Cat",),
        ("Dog",),
        ("Dog",),
    ]
    twin = bare | {"value": bare["value"] | {"labels": ["Bird"]}, "from_name": "label"}
    assert [gesture.labels for gesture in gestures(drawn(bare, twin, *labelled))] == [("Bird",), ("Cat",), ("Dog",)]


def test_one_box_of_two_labels_asks_for_a_region_of_each() -> None:
    cat, dog = (rectangle(0, 0, 10, 10, labels=[label]) | {"id": label} for label in ("Cat", "Dog"))
    assert [gesture.labels for gesture in gestures(drawn(cat, dog))] == [("Cat",), ("Dog",)]


def test_the_same_box_twice_asks_for_one_region() -> None:
    once = rectangle(0, 0, 10, 10)
    assert len(gestures(drawn(once, once | {"id": "other"}))) == 1


@pytest.mark.parametrize("other", [{"to_name": "other"}, {"item_index": 0}, {}], ids=str)
def test_drawings_on_other_images_are_left_out(other: dict[str, Any]) -> None:
    (gesture,) = gestures(drawn(click(10, 10, **other), click(20, 20, item_index=1, image_rotation=90)))
    assert gesture.prompt.points == (Point(40, 20),)
    assert (gesture.item_index, gesture.image_rotation) == (1, 90.0)


@pytest.mark.parametrize("value", [{}, {"x": 1}, {"y": 1}, {"points": []}, {"width": 5, "height": 5}], ids=str)
def test_an_item_without_geometry_is_refused_by_its_id(value: dict[str, Any]) -> None:
    with pytest.raises(BadPrompt, match="'lost' has no geometry"):
        gestures(drawn({"value": value, "id": "lost"}))


@pytest.mark.parametrize("rle", [[0, 0, 0, 4], [300], "AAA", {"0": 1}], ids=str)
def test_a_broken_brush_stroke_is_refused_by_its_id(rle: Any) -> None:
    with pytest.raises(BadPrompt, match="item 'stroke': "):
        gestures(drawn({"value": {"format": "rle", "rle": rle}, "id": "stroke"}))


def test_an_impossible_image_size_is_refused() -> None:
    with pytest.raises(BadPrompt, match="200 x 0 px does not exist"):
        gestures(drawn(click(1, 1, original_height=0)))


def test_what_label_studio_recorded_is_understood() -> None:
    (rotated,) = gestures(recorded("predict_rectangle_3point_rotated"))
    box = prompt_of(rotated).box
    assert box is not None
    corners = (box.x1, box.y1, box.x2, box.y2)
    assert corners == pytest.approx((205.483, 185.840, 400.442, 355.760), abs=1e-2)
    (twins,) = gestures(recorded("predict_keypoint_with_separate_Labels"))
    assert len(twins.prompt.points) == 1
    assert twins.labels == ("A",)
    (page,) = gestures(recorded("predict_multiimage_item_index"))
    assert (page.item_index, page.prompt.frame) == (1, ImageSize(800, 600))
    (alone,) = gestures(recorded("predict_keypoint_neg_only"))
    assert isinstance(alone.prompt, Carving)


def test_more_items_than_anybody_draws_are_refused() -> None:
    with pytest.raises(BadPrompt, match="300 items were drawn; at most 256"):
        gestures(drawn(*[click(1, 1)] * 300))
