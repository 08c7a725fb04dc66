"""Labeling configs get what smart tools need, and lose nothing."""

import pytest

from server.core.labelconfig import parse_label_config
from server.errors import BadLabelConfig
from server.studio.patch import RECOMMENDED, completed, shapes_without_masks

IMAGE = '<Image name="img" value="$pic"/>'
POINT = '<KeyPointLabels name="kp" toName="img"><Label value="A"/></KeyPointLabels>'
BOX = '<RectangleLabels name="box" toName="img"><Label value="A"/></RectangleLabels>'
BRUSH = '<BrushLabels name="brush" toName="img"><Label value="A"/><Label value="B &amp; C"/></BrushLabels>'


def controls(xml: str) -> list[tuple[str, str, tuple[str, ...]]]:
    return [(tag.kind, tag.name, tag.labels) for tag in parse_label_config(xml).controls]


@pytest.mark.parametrize("empty", ["<View></View>", "<View/>", '<View><Header value="Hi"/></View>'])
def test_an_empty_config_becomes_the_recommended_one(empty: str) -> None:
    assert completed(empty) == RECOMMENDED
    assert completed(RECOMMENDED) == RECOMMENDED


def test_what_is_missing_is_added_at_the_end_with_the_labels_that_are_there() -> None:
    before = f"<View>\n  {IMAGE}\n  {BRUSH}\n</View>\n"
    after = completed(before)
    assert after.startswith(before.removesuffix("\n</View>\n"))
    labels = ("A", "B & C")
    added = [("KeyPointLabels", "sam-keypoint", labels), ("RectangleLabels", "sam-rectangle", labels)]
    assert controls(after) == [("BrushLabels", "brush", labels), *added]
    assert after.count('smart="true"') == 2
    assert completed(after) == after


def test_a_config_of_boxes_gets_masks() -> None:
    assert ("BitmaskLabels", "sam-bitmask", ("A",)) in controls(completed(f"<View>{IMAGE}{POINT}{BOX}</View>"))


@pytest.mark.parametrize("output", ["rectangle", "polygon", "vector", "brush", "bitmask", "ellipse"])
def test_only_what_the_forced_output_needs_is_added_for_answers(output: str) -> None:
    after = completed(f"<View>{IMAGE}{POINT}{BOX}</View>", output)
    added = [f"{output.title()}Labels"] if output != "rectangle" else []
    assert [kind for kind, *_ in controls(after)] == ["KeyPointLabels", "RectangleLabels", *added]
    assert parse_label_config(after).answer_control("img", "kp", output).output == output
    assert completed(after, output) == after


@pytest.mark.parametrize("output", ["rectangle", "polygon", "vector"])
def test_an_empty_config_gets_a_control_for_the_forced_output(output: str) -> None:
    after = completed("<View/>", output)
    kinds = {kind for kind, *_ in controls(after)}
    assert kinds == {f"{output.title()}Labels", "KeyPointLabels", "RectangleLabels"}
    assert completed(after, output) == after


def test_shapes_are_told_where_masks_would_take_their_place() -> None:
    assert shapes_without_masks(f"<View>{IMAGE}{POINT}{BOX}</View>") == ("rectangle",)
    assert shapes_without_masks(f"<View>{IMAGE}{POINT}{BOX}{BRUSH}</View>") == ()
    assert shapes_without_masks("<View/>") == ()


def test_a_config_that_has_everything_is_left_alone() -> None:
    whole = f"<View>{IMAGE}{POINT}{BOX}{BRUSH}</View>"
    assert completed(whole) == whole


def test_a_tool_whose_smart_copy_is_switched_off_does_not_count() -> None:
    plain = POINT.replace("<KeyPointLabels", '<KeyPointLabels smart="false"')
    assert controls(completed(f"<View>{IMAGE}{plain}{BOX}{BRUSH}</View>"))[-1][:2] == ("KeyPointLabels", "sam-keypoint")


def test_separate_labels_stay_separate() -> None:
    separate = f'<View>{IMAGE}<Labels name="l" toName="img"><Label value="A"/></Labels></View>'
    kinds = [kind for kind, *_ in controls(completed(separate))]
    assert kinds == ["Labels", "Bitmask", "KeyPoint", "Rectangle"]


def test_a_name_that_is_taken_is_not_taken_again() -> None:
    taken = f'<View>{IMAGE}{BRUSH}{BOX}<Choices name="sam-keypoint" toName="img"><Choice value="x"/></Choices></View>'
    assert controls(completed(taken))[-1][:2] == ("KeyPointLabels", "sam-keypoint1")


def test_nested_views_end_where_they_ended() -> None:
    nested = f'<View><View style="a">{IMAGE}</View>{BRUSH}<Style> .a {{}} </Style></View>'
    assert completed(nested).startswith(nested.removesuffix("</View>"))
    parse_label_config(completed(nested))


def test_a_config_without_an_image_is_refused() -> None:
    with pytest.raises(BadLabelConfig, match="shows no image"):
        completed('<View><Text name="t" value="$t"/></View>')
