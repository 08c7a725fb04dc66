"""Two browsers on two tasks at the same time."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import StorageState

from tests.e2e.api import Api, Project
from tests.e2e.browser import launched_chromium, open_window
from tests.e2e.editor import Editor
from tests.e2e.pictures import ON_THE_WHITE, ON_THE_YOLK, WIDTH, egg, scene, yolk
from tests.e2e.regions import mask_of
from tests.overlap import overlap

pytestmark = pytest.mark.e2e


def test_each_gets_masks_of_their_own_picture(
    api: Api, studio: str, project: Project, pictures: Path, tmp_path: Path, login: StorageState
) -> None:
    scene().transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(tmp_path / "mirrored.png")
    tasks = [api.upload(project, pictures / "egg.png"), api.upload(project, tmp_path / "mirrored.png")]
    together = threading.Barrier(2, timeout=60)

    def annotate(task: int, mirrored: bool) -> None:
        (x, y), (yolk_x, yolk_y) = ON_THE_WHITE, ON_THE_YOLK
        with launched_chromium() as browser:
            editor = Editor(open_window(browser, login), f"{studio}/projects/{project.id}/data?task={task}")
            together.wait()
            editor.click(WIDTH - x if mirrored else x, y)
            together.wait()
            editor.click(WIDTH - yolk_x if mirrored else yolk_x, yolk_y, "Alt")
            editor.accept()
            editor.submit()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(annotate, tasks, [False, True]))
    white = egg() & ~yolk()
    first, second = (mask_of(api.stored_regions(task)[0]) for task in tasks)
    assert overlap(first, white) > 0.95
    assert overlap(second, np.fliplr(white)) > 0.95
