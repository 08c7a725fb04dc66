"""The README's pictures: a cup of coffee is labelled. `make e2e ARGS="--pictures docs/pictures"` keeps them."""

from pathlib import Path

import pytest

from tests.e2e.api import Api
from tests.e2e.browser import photograph
from tests.e2e.conftest import OpenEditor

pytestmark = pytest.mark.e2e

_COFFEE = Path(__file__).parents[2] / "docs" / "pictures" / "coffee.jpg"
_LABELS = '<Label value="Cup" background="#1e78ff"/><Label value="Spoon" background="#00b050"/>'
_CONFIG = f"""<View>
  <Image name="image" value="$image"/>
  <View style="display: flex; gap: 2em">
    <KeyPointLabels name="click" toName="image" smart="true">{_LABELS}</KeyPointLabels>
    <RectangleLabels name="box" toName="image" smart="true">{_LABELS}</RectangleLabels>
    <BitmaskLabels name="mask" toName="image">{_LABELS}</BitmaskLabels>
  </View>
</View>"""


def test_a_spoon_and_a_cup_are_labelled(
    open_editor: OpenEditor, api: Api, backend: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    folder: Path = request.config.getoption("pictures") or tmp_path
    project = api.create_project("Coffee", _CONFIG, backend)
    task = api.upload(project, _COFFEE)
    editor = open_editor(project, task)
    editor.drag_box((312, 190), (420, 346), label="Spoon")
    photograph(editor.page, folder / "e2e-box.webp")
    editor.accept()
    editor.click(300, 90, label="Cup")
    photograph(editor.page, folder / "e2e-click.webp")
    editor.accept()
    photograph(editor.page, folder / "e2e-accepted.webp")
    editor.submit()
    regions = api.stored_regions(task)
    assert [region["value"]["bitmasklabels"] for region in regions] == [["Spoon"], ["Cup"]]
