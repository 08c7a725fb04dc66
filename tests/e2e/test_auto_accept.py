"""Refining with auto-accept on, where each click arrives alone."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.api import Api, Project
from tests.e2e.configs import config
from tests.e2e.conftest import OpenEditor
from tests.e2e.pictures import ON_THE_WHITE, ON_THE_YOLK, egg, yolk
from tests.e2e.regions import mask_of
from tests.overlap import overlap

pytestmark = pytest.mark.e2e


def test_a_negative_click_refines_the_accepted_region_in_place(
    open_editor: OpenEditor, api: Api, project_for: Callable[[str], Project], pictures: Path
) -> None:
    project = project_for(config("Brush"))  # on a bitmask region the editor lets nobody draw
    task = api.upload(project, pictures / "egg.png")
    editor = open_editor(project, task, auto_accept=True)
    editor.click(*ON_THE_WHITE)
    accepted = editor.regions()
    (prompt,) = editor.click(*ON_THE_YOLK, "Control", "Alt").prompts  # a click alone would select the region
    assert prompt["is_positive"] is False
    assert editor.regions() == accepted
    editor.submit()
    (region,) = api.stored_regions(task)
    assert overlap(mask_of(region), egg() & ~yolk()) > 0.95
