import pytest

from server.core.labelconfig import parse_label_config
from server.core.options import AnswerOptions
from server.core.shortcomings import shortcomings

IMAGE = '<Image name="image" value="$image"/>'
CLICK = '<KeyPointLabels name="kp" toName="image"><Label value="A"/><Label value="B"/></KeyPointLabels>'
BRUSH = '<BrushLabels name="brush" toName="image"><Label value="A"/></BrushLabels>'


def of(*tags: str) -> list[str]:
    return shortcomings(parse_label_config(f"<View>{''.join(tags)}</View>"), AnswerOptions())


@pytest.mark.parametrize(
    "tags",
    [
        [IMAGE, BRUSH, CLICK.replace('<Label value="B"/>', "")],
        [IMAGE, BRUSH],
        [IMAGE, CLICK.replace("toName", 'smart="false" toName')],
        ['<Text name="text" value="$text"/>', '<Labels name="l" toName="text"><Label value="A"/></Labels>'],
        [IMAGE, '<Choices name="c" toName="image"><Choice value="A"/></Choices>'],
        [IMAGE, '<RectangleLabels name="r" toName="image"><Label value="A"/></RectangleLabels>'],
        [
            IMAGE,
            '<Brush name="b" toName="image"/>',
            CLICK,
            CLICK.replace("KeyPointLabels", "Labels").replace("kp", "l"),
        ],
        [IMAGE, BRUSH, '<KeyPoint name="k" toName="image"/>'],
    ],
    ids=str,
)
def test_configs_that_work_or_have_no_smart_tools_lack_nothing(tags: list[str]) -> None:
    assert of(*tags) == []


def test_labels_that_the_answering_control_lacks_are_named_with_both_controls() -> None:
    (said,) = of(IMAGE, BRUSH, CLICK)
    assert "BrushLabels 'brush' answers the clicks of KeyPointLabels 'kp', but lacks the labels 'B'" in said


def test_labels_of_a_separate_tag_are_looked_for_too() -> None:
    separate = '<Labels name="l" toName="image"><Label value="C"/></Labels>'
    (said,) = of(IMAGE, BRUSH, '<KeyPoint name="k" toName="image"/>', separate)
    assert "lacks the labels 'C'" in said


def test_a_config_without_an_answering_control_is_told_what_to_add() -> None:
    (said,) = of(IMAGE, CLICK)
    assert "every click of KeyPointLabels 'kp' will fail" in said
    assert "add <BitmaskLabels" in said


def test_a_config_without_an_image_is_told_of_it() -> None:
    assert of(BRUSH, CLICK) == [
        "every click of KeyPointLabels 'kp' will fail: label_config has no <Image> named 'image'"
    ]
