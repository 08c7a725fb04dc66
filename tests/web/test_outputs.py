"""Every kind of answer through the whole app, chosen by the labeling config and the connection's extra params."""

from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from tests.conftest import Site, png
from tests.overlap import overlap
from tests.shown import mask_of
from tests.studio import PROJECT, body, box, click, decode_mask

Client = TestClient[Litestar]
HEIGHT, WIDTH = 120, 160


def config(controls: str) -> str:
    return f"""<View><Image name="image" value="$image"/>{controls}
        <KeyPointLabels name="kp" toName="image" smart="true"><Label value="A"/></KeyPointLabels>
        <RectangleLabels name="rect" toName="image" smart="true"><Label value="A"/></RectangleLabels></View>"""


def control(kind: str, more: str = "") -> str:
    return f'<{kind}Labels name="{kind}" toName="image" {more}><Label value="A"/></{kind}Labels>'


def ask(client: Client, site: Site, controls: str, drawn: dict[str, Any] | None = None) -> Any:
    request = body(site.put("/a.png", png(HEIGHT, WIDTH)), [drawn or click(80, 60, WIDTH, HEIGHT)], config(controls))
    answer = client.post("/predict", json=request).json()
    return answer["results"][0]["result"] if "results" in answer else answer


def setup(client: Client, extra_params: object, project: str = PROJECT, schema: str = "") -> tuple[int, str]:
    answer = client.post("/setup", json={"project": project, "schema": schema, "extra_params": extra_params})
    return answer.status_code, answer.json().get("detail", "")


@pytest.mark.parametrize(
    ("kind", "least"),
    [("Brush", 1), ("Bitmask", 1), ("Polygon", 0.95), ("Vector", 0.95), ("Ellipse", 0.9), ("Rectangle", 0.6)],
)
def test_each_kind_of_control_is_answered_with_its_own_kind_of_region(
    client: Client, site: Site, kind: str, least: float
) -> None:
    (brush,) = ask(client, site, control("Brush"))
    (region,) = ask(client, site, control(kind, 'closable="true"'))
    assert (region["type"], region["from_name"]) == (f"{kind.lower()}labels", kind)
    assert region["value"][f"{kind.lower()}labels"] == ["A"]
    assert overlap(mask_of(region), decode_mask(brush)) >= least


def test_without_another_control_a_rectangle_is_answered_with_a_tight_one(client: Client, site: Site) -> None:
    for drawn in (click(80, 60, WIDTH, HEIGHT), box(10, 10, 50, 50, WIDTH, HEIGHT)):
        (region,) = ask(client, site, "", drawn)
        assert (region["from_name"], region["type"]) == ("rect", "rectanglelabels")


def test_extra_params_choose_the_output_for_their_project_alone(client: Client, site: Site) -> None:
    controls = control("Brush") + control("Polygon")
    assert setup(client, {"output": "polygon"}) == (200, "")
    assert setup(client, {"output": "brush"}, "1.1795480000") == (200, "")
    assert ask(client, site, controls)[0]["type"] == "polygonlabels"
    assert setup(client, None) == (200, "")
    assert ask(client, site, controls)[0]["type"] == "brushlabels"


def test_extra_params_may_come_as_text_from_a_form(client: Client, site: Site) -> None:
    assert setup(client, '{"output": "polygon"}') == (200, "")
    assert ask(client, site, control("Brush") + control("Polygon"))[0]["type"] == "polygonlabels"
    assert setup(client, "") == (200, "")
    status, detail = setup(client, "output=polygon")
    assert status == 400
    assert "expected a JSON object" in detail


def test_an_attribute_wins_over_the_extra_params(client: Client, site: Site) -> None:
    setup(client, {"tolerance": 0})
    (exact,) = ask(client, site, control("Polygon"))
    (coarse,) = ask(client, site, control("Polygon", 'samTolerance="6"'))
    assert len(coarse["value"]["points"]) < len(exact["value"]["points"])


def test_the_control_that_drew_chooses_the_output_even_beside_separate_labels(client: Client, site: Site) -> None:
    tools = '<KeyPoint name="p" toName="image" samOutput="ellipse"/><Labels name="l" toName="image"/>'
    point = click(80, 60, WIDTH, HEIGHT, from_name="p")
    request = body(site.put("/a.png", png(HEIGHT, WIDTH)), [point, point | {"from_name": "l", "type": "labels"}])
    request["label_config"] = config(control("Brush") + control("Ellipse") + tools)
    (prediction,) = client.post("/predict", json=request).json()["results"]
    assert prediction["result"][0]["type"] == "ellipselabels"


def test_a_wrong_option_is_refused_at_setup_and_the_right_one_before_it_stays(client: Client, site: Site) -> None:
    setup(client, {"output": "polygon"})
    status, detail = setup(client, {"output": "poligon"})
    assert status == 400
    assert "did you mean 'polygon'" in detail
    assert ask(client, site, control("Brush") + control("Polygon"))[0]["type"] == "polygonlabels"


@pytest.mark.parametrize(
    ("controls", "said"),
    [
        (control("Polygon", 'samTolerance="wide"'), "samTolerance is 'wide'"),
        (control("Polygon", 'samSmoth="1"'), "did you mean 'samSmooth'"),
        ('<KeyPoint name="p" toName="image" samOutput="polygon"/>', "add <PolygonLabels"),
    ],
)
def test_a_wrong_attribute_is_refused_at_setup_already(client: Client, controls: str, said: str) -> None:
    status, detail = setup(client, None, schema=config(controls))
    assert status == 400
    assert said in detail


def test_an_output_without_a_control_is_refused_at_setup_and_at_the_click(client: Client, site: Site) -> None:
    status, detail = setup(client, {"output": "ellipse"}, schema=config(control("Brush")))
    assert status == 400
    assert "'ellipse', but the labeling config has no such control" in detail
    assert setup(client, {"output": "ellipse"})[0] == 200  # the config came later
    assert "add <EllipseLabels" in ask(client, site, control("Brush"))["detail"]
