"""A server whose model says it is on a GPU: what that changes, with the CPU's memory as the GPU's."""

from collections.abc import Iterator

import msgspec
import pytest
from litestar import Litestar
from litestar.testing import TestClient

from server.app import create_app, load_model
from server.doctor.model import described, examine_model, placement
from server.runtime.model import SamModel
from server.settings import Settings
from tests.conftest import Site, png
from tests.installed import installed
from tests.measured import counters
from tests.split import small_model
from tests.studio import answered_mask, body, click
from tests.waiting import run

Client = TestClient[Litestar]


@pytest.fixture
def small(settings: Settings) -> Settings:
    """Settings with a model of which a fast decoder can be built."""
    manifest, _ = installed(small_model, settings.cache_path)
    return msgspec.structs.replace(settings, model=manifest.name, threads=1)


@pytest.fixture
def model(small: Settings, monkeypatch: pytest.MonkeyPatch) -> SamModel:
    with monkeypatch.context() as patched:
        patched.setattr(SamModel, "is_on_gpu", True)
        return load_model(small)


@pytest.fixture
def on_gpu(settings: Settings, model: SamModel) -> Iterator[Client]:
    with TestClient(create_app(settings, model)) as client:
        yield client


def metric(client: Client, name: str) -> float:
    return counters(client.get("/metrics").text)[name]


def area(client: Client, picture: str) -> int:
    answer = client.post("/predict", json=body(picture, [click(30, 20, 60, 40)]))
    return int(answered_mask(answer).sum())


def test_the_decoder_for_gpus_is_used_and_checked_against_the_stock_one(model: SamModel) -> None:
    assert model.decoder == "fast"
    assert [tier.tier for tier in model.tiers()] == ["gpu"]


def test_clicks_are_answered_as_without_a_gpu(on_gpu: Client, small: Settings, site: Site) -> None:
    picture = site.put("/a.png", png(40, 60))
    with TestClient(create_app(small, load_model(small))) as without:
        assert area(on_gpu, picture) == area(without, picture) > 0


def test_the_gpus_memory_is_a_tier_among_the_metrics(on_gpu: Client, site: Site) -> None:
    hits = metric(on_gpu, 'samserve_cache_hits_total{tier="gpu"}')
    picture = site.put("/a.png", png(40, 60))
    for x in (30, 40, 50):
        on_gpu.post("/predict", json=body(picture, [click(x, 20, 60, 40)]))
    assert metric(on_gpu, 'samserve_cache_hits_total{tier="gpu"}') >= hits + 2
    assert metric(on_gpu, 'samserve_cache_bytes{tier="gpu"}') > 0
    assert "gpu" in {tier["tier"] for tier in on_gpu.get("/precompute").json()["tiers"]}


def test_health_and_the_metrics_say_what_runs_each_graph(on_gpu: Client) -> None:
    graphs = on_gpu.get("/health").json()["graphs"]
    assert list(graphs) == ["encoder", "image", "click", "click_with_mask"]
    assert {provider for counts in graphs.values() for provider in counts} == {"CPUExecutionProvider"}
    name = 'samserve_graph_nodes{graph="click",provider="CPUExecutionProvider"}'
    assert metric(on_gpu, name) == graphs["click"]["CPUExecutionProvider"] > 50


def test_two_images_per_gpu_and_an_urgent_one_are_under_way_on_a_gpu_and_one_on_a_cpu(
    tiny: SamModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert tiny.encodes_at_once == 1
    monkeypatch.setattr(SamModel, "is_on_gpu", True)
    assert tiny.encodes_at_once == 3


def test_the_doctor_says_which_graphs_serve_and_on_a_gpu_what_runs_each(
    tiny: SamModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(examine_model(lambda: tiny)).text.endswith("with the stock encoder and the stock decoder")
    monkeypatch.setattr(SamModel, "is_on_gpu", True)
    on_gpu = run(examine_model(lambda: tiny)).text
    assert "(encoder: " in on_gpu
    assert "nodes on CPU; decoder: " in on_gpu


def test_graphs_that_run_on_two_providers_are_told_with_both() -> None:
    nodes = {"encoder": {"CPUExecutionProvider": 3, "CUDAExecutionProvider": 900}}
    assert placement(nodes) == "encoder: 900 nodes on CUDA, 3 on CPU"
    assert described({"driver": "580.95", "driver_cuda": "13.1"}) == "driver 580.95, driver cuda 13.1"
