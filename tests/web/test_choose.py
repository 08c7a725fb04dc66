"""Which mask a single click gets, as a project asks for it, through the whole app."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from server.app import create_app
from server.runtime.decoders import SplitDecoder
from server.runtime.model import SamModel
from server.settings import Settings
from server.weights.built import built_decoder
from tests.conftest import Site, png
from tests.installed import installed
from tests.split import small_model
from tests.studio import PROJECT, answered_mask, body, click

CONFIG = """<View><Image name="image" value="$image"/><KeyPointLabels name="kp" toName="image" smart="true"/>
    <BrushLabels name="brush" toName="image" {}><Label value="A"/></BrushLabels></View>"""

Client = TestClient[Litestar]


@pytest.fixture
def fast(settings: Settings, tmp_path: Path) -> Iterator[Client]:
    manifest, store = installed(small_model, tmp_path)
    model = SamModel(manifest, store.folder(manifest), threads=1)
    folder, graphs = built_decoder(manifest, store)
    model.use(SplitDecoder(graphs, folder, manifest.preprocessing, threads=1))
    with TestClient(create_app(settings, model)) as client:
        yield client


def setup(client: Client, extra_params: dict[str, str], attributes: str = "") -> Any:
    request = {"project": PROJECT, "schema": CONFIG.format(attributes), "extra_params": extra_params}
    return client.post("/setup", json=request)


def ask(client: Client, site: Site, attributes: str = "") -> Any:
    picture = site.put("/a.png", png(120, 160))
    return client.post("/predict", json=body(picture, [click(80, 60, 160, 120)], CONFIG.format(attributes)))


def area(answer: Any) -> int:
    return int(answered_mask(answer).sum())


def test_a_project_chooses_by_size_with_extra_params_or_an_attribute(fast: Client, site: Site) -> None:
    smallest, largest = (area(ask(fast, site, f'samChoose="{size}"')) for size in ("smallest", "largest"))
    assert 0 < smallest < largest
    for size, expected in (("smallest", smallest), ("largest", largest)):
        assert setup(fast, {"choose": size}).status_code == 200
        assert area(ask(fast, site)) == expected


def test_with_the_stock_decoder_a_size_is_refused_when_it_is_set_up_and_when_it_is_needed(
    client: Client, site: Site
) -> None:
    assert client.get("/health").json()["decoder"] == "stock"
    assert ask(client, site).status_code == 200
    for refused in (
        setup(client, {"choose": "largest"}),
        setup(client, {}, 'samChoose="largest"'),
        client.post("/setup", json={"project": PROJECT, "extra_params": {"choose": "largest"}}),
        ask(client, site, 'samChoose="largest"'),
    ):
        assert refused.status_code == 400
        assert "stock decoder gives one mask only" in refused.json()["detail"]
