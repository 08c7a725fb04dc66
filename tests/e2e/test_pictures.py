"""Pictures from everywhere: a web site, local storage, a phone."""

from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from tests.e2e.api import Api, Project
from tests.e2e.configs import config
from tests.e2e.conftest import OpenEditor
from tests.e2e.editor import Editor
from tests.e2e.pictures import HEIGHT, ON_THE_WHITE, WIDTH, egg, scene
from tests.e2e.regions import mask_of
from tests.e2e.site import Site
from tests.overlap import overlap

pytestmark = pytest.mark.e2e


def test_a_picture_on_a_web_site(open_editor: OpenEditor, api: Api, project: Project, site: Site) -> None:
    task = api.add_url(project, f"{site.root}/egg.png")
    _click_on_the_egg(open_editor(project, task))
    assert overlap(mask_of(api.stored_regions(task)[0]), egg()) > 0.95


def test_a_picture_in_local_storage(
    open_editor: OpenEditor, api: Api, project_for: Callable[[str], Project], pictures: Path
) -> None:
    project = project_for(config("Bitmask") + "<!-- local storage -->")
    (pictures / "stored").mkdir()
    scene().save(pictures / "stored" / "egg 1.png")
    (task,) = api.add_local_folder(project, pictures / "stored")
    _click_on_the_egg(open_editor(project, task))
    assert overlap(mask_of(api.stored_regions(task)[0]), egg()) > 0.95


def test_a_photo_that_a_phone_took_upright(open_editor: OpenEditor, api: Api, project: Project, tmp_path: Path) -> None:
    photo = scene().transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise by whoever shows it
    photo.save(tmp_path / "phone.jpg", quality=95, exif=exif)
    task = api.upload(project, tmp_path / "phone.jpg")
    _click_on_the_egg(open_editor(project, task))
    (region,) = api.stored_regions(task)
    assert (region["original_width"], region["original_height"]) == (WIDTH, HEIGHT)
    assert overlap(mask_of(region), egg()) > 0.95


def _click_on_the_egg(editor: Editor) -> None:
    editor.click(*ON_THE_WHITE)
    editor.accept()
    editor.submit()
