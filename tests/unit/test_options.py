"""Answer options: what is accepted, and what a mistake is answered with."""

import pytest

from server.core.answer import answer_for, check_options
from server.core.labelconfig import parse_label_config
from server.core.options import AnswerOptions, parse_attributes, parse_extra_params
from server.errors import BadOptions
from server.service.project_options import ProjectOptions

ALL = {"output": "polygon", "tolerance": 1.5, "fill_holes": 50, "drop_islands": "20", "keep": "largest", "smooth": 2}
ALL |= {"choose": "smallest", "crop": "off"}


def config(controls: str) -> str:
    return f'<View><Image name="image" value="$image"/><KeyPointLabels name="kp" toName="image"/>{controls}</View>'


def test_without_options_nothing_is_done_to_a_mask() -> None:
    assert parse_extra_params({}) == AnswerOptions(None, 1.0, 0, 0, "all", 0, "best", "auto")


def test_extra_params_set_every_option() -> None:
    assert parse_extra_params(ALL) == AnswerOptions("polygon", 1.5, 50, 20, "largest", 2, "smallest", "off")


def test_attributes_set_every_option_and_leave_the_editors_own_alone() -> None:
    attributes = {"name": "p", "strokeWidth": "3", "samOutput": "polygon", "samTolerance": "1.5", "samFillHoles": "50"}
    attributes |= {"samDropIslands": "20", "samKeep": "largest", "samSmooth": "2", "samChoose": "smallest"}
    overridden = AnswerOptions().overridden(parse_attributes(attributes | {"samCrop": "off"}, "p"))
    assert overridden == AnswerOptions("polygon", 1.5, 50, 20, "largest", 2, "smallest", "off")


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"tolerence": 1}, "no option 'tolerence'; there are output, tolerance.*did you mean 'tolerance'"),
        ({"a": 1}, "no option 'a'; there are output, .*choose, crop$"),
        ({"output": "Polygons"}, "output is 'Polygons'; expected one of brush, .*did you mean 'polygon'"),
        ({"output": None}, "output is None; expected one of brush"),
        ({"keep": ["all"]}, "keep is .*; expected one of all, largest"),
        ({"crop": "on"}, "crop is 'on'; expected one of auto, off"),
        ({"tolerance": -1}, "tolerance is -1; expected a number of px from 0 to 1,000"),
        ({"tolerance": True}, "tolerance is True; expected a number"),
        ({"tolerance": "nan"}, "tolerance is 'nan'; expected a number"),
        ({"smooth": 51}, "from 0 to 50"),
        ({"fill_holes": {}}, "fill_holes is {}; expected a number"),
    ],
)
def test_a_wrong_extra_param_is_named_with_what_is_accepted(params: dict[str, object], said: str) -> None:
    with pytest.raises(BadOptions, match=f"(?i)^extra_params: .*{said}"):
        parse_extra_params(params)


@pytest.mark.parametrize(
    ("attribute", "said"),
    [
        ('samTolerence="1"', "no option 'samTolerence'.*did you mean 'samTolerance'"),
        ('samtolerance="1"', "no option 'samtolerance'.*did you mean 'samTolerance'"),
        ('samTolerance="wide"', "samTolerance is 'wide'; expected a number of px"),
        ('samOutput="poly"', "samOutput is 'poly'; expected one of"),
    ],
)
def test_a_wrong_attribute_is_named_with_its_control(attribute: str, said: str) -> None:
    with pytest.raises(BadOptions, match=f"label_config, control 'poly': .*{said}"):
        parse_label_config(config(f'<Polygon name="poly" toName="image" {attribute}/>'))


def test_attributes_that_only_begin_like_options_are_not_ours() -> None:
    assert parse_attributes({"sample": "1", "same": "2"}, "p") == ()


ALL_KINDS = ["Rectangle", "Ellipse", "Vector", "Polygon", "Bitmask", "Brush"]


@pytest.mark.parametrize("suffix", ["", "Labels"])
def test_the_first_of_brush_bitmask_polygon_vector_ellipse_rectangle_answers(suffix: str) -> None:
    kinds = list(ALL_KINDS)
    while kinds:
        tags = "".join(f'<{kind}{suffix} name="{kind}" toName="image" closable="true"/>' for kind in kinds)
        assert parse_label_config(config(tags)).answer_control("image", "kp").name == kinds.pop()


def test_controls_of_the_same_kind_answer_in_document_order() -> None:
    tags = '<Polygon name="1" toName="image"/><PolygonLabels name="2" toName="image"/><Brush name="3" toName="other"/>'
    assert parse_label_config(config(tags)).answer_control("image", "kp").name == "1"


def test_a_vector_answers_only_when_it_can_be_closed() -> None:
    tags = '<Vector name="open" toName="image"/><RectangleLabels name="rect" toName="image"/>'
    assert parse_label_config(config(tags)).answer_control("image", "kp").name == "rect"


def test_the_control_that_drew_the_prompt_answers_only_when_no_other_can() -> None:
    tags = '<Ellipse name="ellipse" toName="image"/><RectangleLabels name="rect" toName="image"/>'
    assert parse_label_config(config(tags)).answer_control("image", "ellipse").name == "rect"
    assert parse_label_config(config(tags)).answer_control("image", "rect").name == "ellipse"
    only = parse_label_config(config('<RectangleLabels name="rect" toName="image"/>'))
    assert only.answer_control("image", "rect").name == "rect"


BOTH = """<KeyPoint name="precise" toName="image" samOutput="polygon"/><Brush name="b" toName="image" samSmooth="3"/>
    <Polygon name="p" toName="image" samTolerance="4"/>"""


def test_attributes_win_over_extra_params_and_samoutput_is_the_prompting_controls() -> None:
    tags = parse_label_config(config(BOTH))
    given = AnswerOptions(output="brush", tolerance=9, keep="largest")
    assert answer_for(tags, "image", "kp", given) == (
        tags.control("b"),
        AnswerOptions("brush", tolerance=9, keep="largest", smooth=3),
    )
    assert answer_for(tags, "image", "precise", given) == (
        tags.control("p"),
        AnswerOptions("polygon", tolerance=4, keep="largest"),
    )


def test_an_output_without_a_control_is_an_error_that_says_what_to_add() -> None:
    tags = parse_label_config(config('<Brush name="b" toName="image"/><Vector name="v" toName="image"/>'))
    with pytest.raises(
        BadOptions,
        match=r"output is 'vector'.* add <VectorLabels .*toName=.image. closable=.true.><Label .*</VectorLabels>",
    ):
        answer_for(tags, "image", "kp", AnswerOptions("vector"))


def test_an_output_that_no_click_could_get_is_found_before_the_first_click() -> None:
    with pytest.raises(BadOptions, match=r"'ellipse', but the labeling config has no such control.* brush, polygon"):
        check_options(parse_label_config(config(BOTH)), AnswerOptions("ellipse"))
    forced = '<KeyPoint name="k" toName="image" samOutput="ellipse"/><Brush name="b" toName="image"/>'
    with pytest.raises(BadOptions, match="add <EllipseLabels"):
        check_options(parse_label_config(config(forced)), AnswerOptions())


def test_a_config_that_is_still_empty_fits_any_output() -> None:
    check_options(parse_label_config("<View/>"), AnswerOptions("ellipse"))


def test_of_more_projects_than_are_remembered_the_longest_unused_is_forgotten() -> None:
    options = ProjectOptions(2)
    for project in ("1.5", "2.5"):
        options.put(project, AnswerOptions("polygon"))
    options.get("1.5")
    options.put("3.5", AnswerOptions("polygon"))
    assert [options.get(project).output for project in ("1.5", "2.5", "3.5")] == ["polygon", None, "polygon"]


@pytest.mark.parametrize(("attribute", "params"), [("", {"choose": "largest"}), ('samChoose="smallest"', {})])
def test_a_size_is_refused_at_setup_where_there_is_nothing_to_choose_from(
    attribute: str, params: dict[str, object]
) -> None:
    parsed = parse_label_config(config(f'<BrushLabels name="brush" toName="image" {attribute}/>'))
    check_options(parsed, parse_extra_params(params), chooses=True)
    check_options(parse_label_config(config("")), parse_extra_params({}), chooses=False)
    with pytest.raises(BadOptions, match="stock decoder gives one mask only; SAMSERVE_DECODER=fast"):
        check_options(parsed, parse_extra_params(params), chooses=False)
