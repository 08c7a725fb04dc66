"""The three controls that hold a mask, with suggestions accepted by hand and by themselves."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.api import Api, Project
from tests.e2e.configs import config, config_with_separate_labels
from tests.e2e.conftest import OpenEditor
from tests.e2e.pictures import ON_THE_WHITE, egg
from tests.e2e.regions import mask_of
from tests.overlap import overlap

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize("auto_accept", [False, True], ids=["accepted by hand", "auto-accept"])
@pytest.mark.parametrize("output", ["Brush", "Bitmask", "Polygon"])
def test_the_stored_region_is_the_mask(
    open_editor: OpenEditor,
    api: Api,
    project_for: Callable[[str], Project],
    pictures: Path,
    output: str,
    auto_accept: bool,
) -> None:
    project = project_for(config(output))
    task = api.upload(project, pictures / "egg.png")
    editor = open_editor(project, task, auto_accept)
    editor.click(*ON_THE_WHITE)
    if not auto_accept:
        editor.accept()
    editor.submit()
    (region,) = api.stored_regions(task)
    assert region["type"] == f"{output.lower()}labels"
    assert region["value"][region["type"]] == ["Object"]
    assert overlap(mask_of(region), egg()) > 0.95


@pytest.mark.parametrize("output", ["Brush", "Bitmask", "Polygon"])
def test_labels_of_a_tag_of_their_own_are_stored_with_the_mask(
    open_editor: OpenEditor, api: Api, project_for: Callable[[str], Project], pictures: Path, output: str
) -> None:
    project = project_for(config_with_separate_labels(output))
    task = api.upload(project, pictures / "egg.png")
    editor = open_editor(project, task)
    editor.click(*ON_THE_WHITE)
    editor.accept()
    editor.submit()
    mask, label = api.stored_regions(task)
    assert mask["id"] == label["id"]
    assert label["value"]["labels"] == ["Object"]
    assert overlap(mask_of(mask), egg()) > 0.95


def test_labels_of_a_tag_of_their_own_are_shown_with_the_suggestion(
    open_editor: OpenEditor, api: Api, project_for: Callable[[str], Project], pictures: Path
) -> None:
    project = project_for(config_with_separate_labels("Bitmask"))
    editor = open_editor(project, api.upload(project, pictures / "egg.png"))
    editor.click(*ON_THE_WHITE)
    assert editor.suggested_labels() == ["Object"]
