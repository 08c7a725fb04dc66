from typing import Any

import pytest

from server.core.labelconfig import ObjectTag, parse_label_config
from server.core.reference import ImageReference
from server.core.task import Task, image_references, image_value
from server.errors import BadTask


def image(value: str) -> ObjectTag:
    return ObjectTag("Image", "image", value, is_list=False)


def images(value: str) -> ObjectTag:
    return ObjectTag("Image", "image", value, is_list=True)


@pytest.mark.parametrize(
    ("template", "data"),
    [
        ("$image", {"image": "/a.png"}),
        ("$image", {"image": "  /a.png\n"}),
        ("$meta.image", {"meta": {"image": "/a.png"}}),
        ("$meta.image", {"meta.image": "/a.png", "meta": {"image": "/other.png"}}),
        ("$images[1]", {"images": ["/other.png", "/a.png"]}),
        ("$pages[0].url", {"pages": [{"url": "/a.png"}]}),
        ("$folder/$name", {"folder": "", "name": "a.png"}),
        ("/$name", {"name": "a.png"}),
        ("/a.png", {}),
        ("$image", {"$undefined$": "/a.png"}),
        ("$image", {"$undefined$": "/other.png", "image": "/a.png"}),
    ],
)
def test_the_image_is_found_where_the_config_points(template: str, data: dict[str, Any]) -> None:
    assert image_value(data, image(template), None) == "/a.png"


@pytest.mark.parametrize(("index", "expected"), [(None, "/0.png"), (0, "/0.png"), (1, "/1.png")])
def test_a_list_gives_the_image_that_the_click_was_on(index: int | None, expected: str) -> None:
    assert image_value({"pages": ["/0.png", "/1.png"]}, images("$pages"), index) == expected


def test_the_index_of_a_list_means_nothing_to_a_single_image() -> None:
    assert image_value({"image": "/a.png"}, image("$image"), 3) == "/a.png"


@pytest.mark.parametrize("index", [2, -1])
def test_an_index_outside_the_list_is_refused(index: int) -> None:
    with pytest.raises(BadTask, match=f"item_index {index}: .* has 2 images"):
        image_value({"pages": ["/0.png", "/1.png"]}, images("$pages"), index)


def test_a_list_tag_needs_a_list() -> None:
    with pytest.raises(BadTask, match=r"'\$pages' must be a list"):
        image_value({"pages": "/a.png"}, images("$pages"), 0)


@pytest.mark.parametrize("value", ["", "  \n", None, 7, ["/a.png"], {"url": "/a.png"}])
def test_a_field_that_holds_no_image_is_refused_and_shown(value: Any) -> None:
    with pytest.raises(BadTask, match=r"'\$image'.* holds no image") as caught:
        image_value({"image": value}, image("$image"), None)
    assert repr(value) in str(caught.value)


@pytest.mark.parametrize(
    ("template", "data"),
    [
        ("$image", {"img": "/a.png", "id": 1}),
        ("$img.url", {"img": "/a.png", "id": 1}),
        ("$id.url", {"img": "/a.png", "id": 1}),
        ("$img[0].url", {"img": [], "id": 1}),
        ("$img[one]", {"img": ["/a.png"], "id": 1}),
        ("/files/$name", {"img": "/a.png", "id": 1}),
    ],
)
def test_a_missing_field_is_answered_with_those_that_are_there(template: str, data: dict[str, Any]) -> None:
    with pytest.raises(BadTask, match=r"has no field .*; it has 'img', 'id'"):
        image_value(data, image(template), None)


def test_a_task_without_data_says_so() -> None:
    with pytest.raises(BadTask, match="no field 'image'; it has none"):
        image_value({}, image("$image"), None)


def test_a_template_takes_names_and_leaves_what_follows_them() -> None:
    tag = ObjectTag("Image", "image", "https://host/$folder/$name.jpg?v=$0", is_list=False)
    assert image_value({"folder": "a", "name": "b", "0": 7}, tag, None) == "https://host/a/b.jpg?v=7"


def references(config: str, data: dict[str, Any]) -> list[str]:
    return [reference.value for reference in image_references(Task("7", data), parse_label_config(config))]


def test_all_images_that_a_task_shows_are_found_the_first_ones_first() -> None:
    config = """<View><Header name="h" value="$title"/><Image name="a" valueList="$pages"/>
        <Image name="b" value="$cover"/><Image name="c" valueList="$plans"/></View>"""
    data = {"title": "t", "pages": ["p1", "p2", "p3"], "cover": "c", "plans": ["n1", "n2"]}
    assert references(config, data) == ["p1", "c", "n1", "p2", "n2", "p3"]


@pytest.mark.parametrize(
    ("data", "found"),
    [
        ({"pages": ["p1"]}, ["p1"]),
        ({"pages": [None, " ", "p3"], "cover": "c"}, ["p3", "c"]),
        ({"pages": "no list", "cover": "c"}, ["c"]),
        ({"pages": 7, "cover": 7}, []),
        ({"pages": ["same", "same"], "cover": "same"}, ["same"]),
        ({}, []),
    ],
)
def test_images_that_a_task_lacks_are_left_out(data: dict[str, Any], found: list[str]) -> None:
    config = '<View><Image name="a" valueList="$pages"/><Image name="b" value="$cover"/></View>'
    assert references(config, data) == found


def test_a_reference_names_its_task() -> None:
    config = parse_label_config('<View><Image name="a" value="$image"/></View>')
    assert image_references(Task("7", {"image": "/a.png"}), config) == [ImageReference("/a.png", "7")]
