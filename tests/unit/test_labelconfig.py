import pytest

from server.core.labelconfig import ControlTag, ObjectTag, parse_label_config
from server.errors import BadLabelConfig

CONFIG = """<?xml version="1.0" encoding="utf-8"?>
<View>
  <Header value="Click on the dog"/>
  <Image name="image" value="$image" zoom="true"/>
  <Image name="pages" valueList="$pages"/>
  <View>
    <BrushLabels name="brush" toName="image, pages">
      <Label value="Dog"/><Label value="Katze \N{CAT FACE}" alias="cat"/><Label/>
    </BrushLabels>
  </View>
  <KeyPointLabels name="click" toName="image" smart="true"><Label value="Dog"/></KeyPointLabels>
  <Choices name="quality" toName="image"><Choice value="good"/></Choices>
</View>"""


def test_objects_say_where_their_images_are() -> None:
    assert parse_label_config(CONFIG).objects == (
        ObjectTag("Image", "image", "$image", is_list=False),
        ObjectTag("Image", "pages", "$pages", is_list=True),
    )


def test_controls_keep_their_objects_and_labels_in_order_under_their_aliases() -> None:
    assert parse_label_config(CONFIG).controls == (
        ControlTag("BrushLabels", "brush", ("image", "pages"), ("Dog", "cat")),
        ControlTag("KeyPointLabels", "click", ("image",), ("Dog",)),
        ControlTag("Choices", "quality", ("image",), ()),
    )


def test_tags_are_found_by_name() -> None:
    config = parse_label_config(CONFIG)
    assert config.object("pages").value == "$pages"
    assert config.control("click").kind == "KeyPointLabels"


def test_a_name_that_is_not_there_is_answered_with_those_that_are() -> None:
    config = parse_label_config(CONFIG)
    with pytest.raises(BadLabelConfig, match="no object named 'photo'; it has 'image', 'pages'"):
        config.object("photo")
    with pytest.raises(BadLabelConfig, match="no control named 'image'; it has 'brush', 'click', 'quality'"):
        config.control("image")
    with pytest.raises(BadLabelConfig, match="it has none"):
        parse_label_config("<View/>").object("image")


@pytest.mark.parametrize("kind", ["BrushLabels", "Brush"])
@pytest.mark.parametrize("to_name", ["b", "a,b", "a, b"])
def test_masks_of_an_object_go_to_its_own_brush(kind: str, to_name: str) -> None:
    config = parse_label_config(
        f'<View><BrushLabels name="other" toName="c"/><PolygonLabels name="poly" toName="b"/>'
        f'<{kind} name="mine" toName="{to_name}"/></View>'
    )
    assert config.answer_control("b", "click").name == "mine"


def test_an_object_that_no_control_can_hold_a_mask_of_is_answered_with_the_tag_to_add() -> None:
    config = parse_label_config('<View><KeyPointLabels name="click" toName="image"/></View>')
    with pytest.raises(BadLabelConfig, match=r'add <BitmaskLabels .*toName="image"'):
        config.answer_control("image", "click")


@pytest.mark.parametrize("xml", ["", "plain text", "<View>", "<View></Vew>", "<View>&lol;</View>", "<a/><b/>"])
def test_xml_that_does_not_parse_is_refused(xml: str) -> None:
    with pytest.raises(BadLabelConfig, match="not well-formed XML"):
        parse_label_config(xml)


@pytest.mark.parametrize(
    "xml",
    [
        '<!DOCTYPE View [<!ENTITY lol "lol">]><View>&lol;</View>',
        '<!DOCTYPE View SYSTEM "file:///etc/passwd"><View/>',
    ],
)
def test_entities_are_refused_before_anything_expands_them(xml: str) -> None:
    with pytest.raises(BadLabelConfig, match="must not declare"):
        parse_label_config(xml)


def test_the_same_text_is_parsed_once() -> None:
    assert parse_label_config(CONFIG) is parse_label_config("".join(CONFIG))
