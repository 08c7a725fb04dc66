"""The options of the answer on the playground."""

import json
import re

import pytest

from tests.conftest import png
from tests.playground.playing import Playground

pytestmark = pytest.mark.browser
PICTURE = png(120, 160)


def _set(playground: Playground, name: str, value: str) -> None:
    playground.page.fill(f"[name={name}]", value)
    playground.page.keyboard.press("Tab")


def test_without_options_the_config_has_none(playground: Playground) -> None:
    playground.bring(PICTURE)
    assert "sam" not in playground.click(0.5, 0.5).body["label_config"]


def test_options_are_attributes_of_the_control_that_answers(playground: Playground) -> None:
    playground.bring(PICTURE)
    playground.click(0.5, 0.5)
    playground.page.click("#options summary")
    playground.answered(lambda: playground.page.select_option("[name=samChoose]", "predicted"))
    exchange = playground.answered(lambda: _set(playground, "samDropIslands", "12"))
    config = exchange.body["label_config"]
    assert '<BitmaskLabels name="mask" toName="image" samChoose="predicted" samDropIslands="12">' in config
    assert exchange.region["type"] == "bitmasklabels"
    assert 'samDropIslands=\\"12\\"' in playground.page.inner_text("#request")
    assert playground.page.inner_text("#options-set") == "2 set"


@pytest.mark.parametrize("wrong", ["99", 'a "<&'])
def test_the_servers_refusal_is_shown_at_the_option_until_it_is_right(playground: Playground, wrong: str) -> None:
    playground.bring(PICTURE)
    playground.click(0.5, 0.5)
    playground.page.click("#options summary")
    field = playground.page.locator("[name=samSmooth]")
    playground.answered(lambda: _set(playground, "samSmooth", wrong))
    refusal = playground.page.locator("#refusal", has_text=f"samSmooth is '{wrong}'; expected a number")
    refusal.wait_for()
    assert playground.page.inner_text("#error") == refusal.inner_text()
    assert field.get_attribute("aria-invalid") == "true"
    playground.answered(lambda: _set(playground, "samSmooth", "3"))
    playground.page.locator("#status", has_text=re.compile("^Mask")).wait_for()
    assert refusal.count() == 0
    assert field.get_attribute("aria-invalid") == "false"
    (logged,) = playground.complaints
    assert "400" in logged  # by Chromium, not by the page
    playground.complaints.clear()


def test_what_is_typed_into_an_option_is_no_shortcut(playground: Playground) -> None:
    playground.bring(PICTURE)
    playground.page.click("#options summary")
    playground.page.focus("[name=samTolerance]")
    playground.page.keyboard.type("b0 n")
    assert playground.page.input_value("[name=samTolerance]") == "b0 n"
    assert playground.page.is_checked("[name=tool][value=include]")


def test_a_refused_size_is_marked_at_choose(playground: Playground) -> None:
    """The model of these tests has a decoder that gives one mask only."""
    playground.bring(PICTURE)

    def refuse(route: object) -> None:
        detail = "choose is 'largest', but the stock decoder gives one mask only"
        route.fulfill(status=400, body=json.dumps({"detail": detail}))  # type: ignore[attr-defined]

    playground.page.route("**/predict", refuse)
    playground.page.click("#options summary")
    playground.page.select_option("[name=samChoose]", "largest")
    playground.page.mouse.click(*playground.place(0.5, 0.5))
    playground.page.locator("#refusal", has_text="the stock decoder").wait_for()
    assert playground.page.get_attribute("[name=samChoose]", "aria-invalid") == "true"
    playground.complaints.clear()
