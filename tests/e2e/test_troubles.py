"""When an answer fails, Label Studio shows nothing: what is left to the annotator."""

from pathlib import Path

import pytest

from tests.e2e.api import Api, Project
from tests.e2e.conftest import OpenEditor
from tests.e2e.pictures import ON_THE_BOARD, ON_THE_WHITE, board, egg, scene
from tests.e2e.regions import mask_of
from tests.e2e.site import Site
from tests.overlap import overlap

pytestmark = pytest.mark.e2e


def test_after_a_click_that_failed_the_next_one_works(
    open_editor: OpenEditor, api: Api, project: Project, site: Site, pictures: Path
) -> None:
    scene(seed=7).save(pictures / "late.png")  # not one that samserve knows
    site.refuses_samserve = True
    task = api.add_url(project, f"{site.root}/late.png")
    editor = open_editor(project, task)
    failed = editor.click(*ON_THE_WHITE)
    assert "502 Server Error" in failed.body["errors"][0]
    site.refuses_samserve = False
    assert len(editor.click(*ON_THE_BOARD).prompts) == 2
    editor.accept()
    editor.submit()
    (region,) = api.stored_regions(task)
    assert overlap(mask_of(region), egg() | board()) > 0.9


def test_start_training_does_no_harm(api: Api, project: Project) -> None:
    assert api.train(project).is_success
    assert api.backend(project)["readable_state"] == "Connected"
