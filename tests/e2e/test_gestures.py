"""Each gesture of the smart tools, from the mouse to the stored annotation."""

from collections.abc import Callable

import pytest

from tests.e2e.api import Api, Project
from tests.e2e.conftest import OpenEditor
from tests.e2e.editor import Editor
from tests.e2e.pictures import (
    ON_THE_BOARD,
    ON_THE_WHITE,
    ON_THE_YOLK,
    Mask,
    board,
    board_corners,
    egg,
    yolk,
)
from tests.e2e.regions import mask_of
from tests.overlap import overlap

pytestmark = pytest.mark.e2e


@pytest.fixture
def editor(open_editor: OpenEditor, project: Project, task: int) -> Editor:
    return open_editor(project, task)


@pytest.fixture
def stored(api: Api, editor: Editor, task: int) -> Callable[[], Mask]:
    """Accepts the suggestion, submits, and reads the one stored mask back."""

    def accept_and_submit() -> Mask:
        editor.accept()
        editor.submit()
        (region,) = api.stored_regions(task)
        return mask_of(region)

    return accept_and_submit


def test_a_click_takes_the_object(editor: Editor, stored: Callable[[], Mask]) -> None:
    editor.click(*ON_THE_WHITE)
    assert overlap(stored(), egg()) > 0.95


def test_an_alt_click_takes_a_part_away(editor: Editor, stored: Callable[[], Mask]) -> None:
    editor.click(*ON_THE_WHITE)
    prompts = editor.click(*ON_THE_YOLK, "Alt").prompts
    assert [prompt["is_positive"] for prompt in prompts] == [True, False]
    assert overlap(stored(), egg() & ~yolk()) > 0.95


def test_a_second_click_adds_a_part(editor: Editor, stored: Callable[[], Mask]) -> None:
    editor.click(*ON_THE_WHITE)
    editor.click(*ON_THE_BOARD)
    assert overlap(stored(), egg() | board()) > 0.9


def test_a_box_takes_what_fills_it(editor: Editor, stored: Callable[[], Mask]) -> None:
    editor.drag_box((205, 205), (395, 395))
    assert overlap(stored(), yolk()) > 0.95


def test_a_tilted_box_takes_what_fills_it(editor: Editor, stored: Callable[[], Mask]) -> None:
    (prompt,) = editor.three_corners(*board_corners()[:3]).prompts
    assert prompt["value"]["rotation"] == pytest.approx(20, abs=1)
    assert overlap(stored(), board()) > 0.95
