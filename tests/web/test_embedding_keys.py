"""Embeddings outlive the server, and no image is ever answered with another one's."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
import pytest
from litestar import Litestar
from litestar.testing import TestClient

from server.app import create_app
from server.cache.memory import MemoryCache
from server.core.embedding import Image, ImageEmbedding
from server.core.prediction import Mask
from server.runtime.model import SamModel
from server.settings import Settings
from tests.conftest import Site, png
from tests.graphs import tiny_model
from tests.studio import answered_mask, body, click

HEIGHT, WIDTH = 100, 160
CAT, DOG = png(HEIGHT, WIDTH, seed=1), png(HEIGHT, WIDTH, seed=2)


class CountingModel(SamModel):
    """The tiny model; knows how often it encoded."""

    def __init__(self, folder: Path, pool: str = "AveragePool") -> None:
        folder.mkdir(exist_ok=True)
        super().__init__(tiny_model(folder, pool), folder, threads=1)
        self.encodes = 0

    def encode(self, image: Image, is_urgent: Callable[[], bool] = lambda: True) -> ImageEmbedding:
        self.encodes += 1
        return super().encode(image, is_urgent)


@pytest.fixture
def model(tmp_path: Path) -> CountingModel:
    return CountingModel(tmp_path / "graphs")


def served(settings: Settings, model: SamModel, *images: str) -> list[Mask]:
    """The masks at the middle of images, by a server that is started for them and stopped again."""
    with TestClient(create_app(settings, model)) as client:
        return [mask(client, image) for image in images]


def mask(client: TestClient[Litestar], image: str) -> Mask:
    answer = client.post("/predict", json=body(image, [click(WIDTH / 2, HEIGHT / 2, WIDTH, HEIGHT)]))
    return answered_mask(answer)


def alone(settings: Settings, model: SamModel, image: str) -> Mask:
    """The mask by a server that keeps nothing on disk."""
    return served(msgspec.structs.replace(settings, embedding_disk_gib=0), model, image)[0]


def same(one: Mask, other: Mask) -> bool:
    return bool(np.array_equal(one, other))


def kept(settings: Settings) -> list[Path]:
    return sorted((settings.cache_path / "embeddings").glob("*"))


def test_a_restarted_server_answers_without_encoding(settings: Settings, model: CountingModel, site: Site) -> None:
    urls = [site.put("/cat.png", CAT), site.put("/dog.png", DOG)]
    before = served(settings, model, *urls)
    after = served(settings, model, *urls)
    assert (model.encodes, len(kept(settings))) == (2, 2)
    assert all(map(same, before, after))
    assert not same(*before)


def test_two_label_studios_with_the_same_relative_path_get_their_own(
    settings: Settings, model: CountingModel, site: Site
) -> None:
    path, masks = "/data/upload/1/picture.png", []
    for studio, picture in {"/one": CAT, "/two": DOG, "/three": CAT}.items():
        expected = alone(settings, model, site.put(studio + path, picture))
        theirs = msgspec.structs.replace(settings, label_studio_url=site.url + studio)
        masks += served(theirs, model, path)
        assert same(masks[-1], expected), studio
    assert not same(masks[0], masks[1])
    assert model.encodes == 3 + 2  # the third studio's picture is the first one's


def test_an_image_replaced_under_its_url_gets_its_own(
    settings: Settings, model: CountingModel, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.engine._IMAGE_FRESH_SECONDS", 0.0)
    with TestClient(create_app(settings, model)) as client:
        cat = mask(client, site.put("/picture.png", CAT))
        dog = mask(client, site.put("/picture.png", DOG))
        assert not same(cat, dog)
        assert same(mask(client, site.put("/picture.png", CAT)), cat)
    assert (model.encodes, len(kept(settings))) == (2, 2)


def test_an_image_replaced_while_the_server_was_down_gets_its_own(
    settings: Settings, model: CountingModel, site: Site
) -> None:
    served(settings, model, site.put("/picture.png", CAT))
    expected = alone(settings, model, site.put("/picture.png", DOG))
    assert same(served(settings, model, site.url + "/picture.png")[0], expected)


def test_a_new_checkpoint_gets_its_own_and_the_old_one_keeps_what_it_had(
    settings: Settings, model: CountingModel, site: Site, tmp_path: Path
) -> None:
    other, url = CountingModel(tmp_path / "other", pool="MaxPool"), site.put("/picture.png", CAT)
    (old,) = served(settings, model, url)
    (new,) = served(settings, other, url)
    assert same(new, alone(settings, other, url))
    assert not same(old, new)
    assert same(served(settings, model, url)[0], old)
    assert (model.encodes, other.encodes, len(kept(settings))) == (1, 2, 2)


def test_a_damaged_file_costs_an_encode_and_no_error(settings: Settings, model: CountingModel, site: Site) -> None:
    url = site.put("/picture.png", CAT)
    (before,) = served(settings, model, url)
    kept(settings)[0].write_bytes(kept(settings)[0].read_bytes()[:-100])
    assert same(served(settings, model, url)[0], before)
    assert same(served(settings, model, url)[0], before)
    assert model.encodes == 2


def test_what_memory_has_no_room_for_is_read_from_disk_without_fetching_it_again(
    settings: Settings, model: CountingModel, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.engine.MemoryCache", lambda _: MemoryCache(1))
    urls = [site.put("/cat.png", CAT), site.put("/dog.png", DOG)]
    masks = served(settings, model, *urls * 3)
    assert all(same(masks[n], masks[n % 2]) for n in range(6))
    assert (model.encodes, len(site.requests)) == (2, 2)


def test_without_a_disk_tier_nothing_is_written(settings: Settings, model: CountingModel, site: Site) -> None:
    alone(settings, model, site.put("/picture.png", CAT))
    assert not settings.cache_path.exists()


def test_a_folder_that_cannot_be_written_costs_no_click(
    settings: Settings, model: CountingModel, site: Site, tmp_path: Path
) -> None:
    (tmp_path / "file").write_bytes(b"")
    unwritable = msgspec.structs.replace(settings, cache_dir=str(tmp_path / "file"))
    served(unwritable, model, site.put("/picture.png", CAT))
    assert model.encodes == 1
