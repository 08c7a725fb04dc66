"""Graphs that do not fit their manifest are refused when a model is warmed up, not at the first click."""

from pathlib import Path

import msgspec
import numpy as np
import pytest

from server.core.geometry import ImageSize, Point
from server.core.prompt import Prompt
from server.errors import ModelUnusable
from server.models.registry import family
from server.runtime.model import SamModel
from tests.graphs import tiny_model


def test_an_image_and_a_click_become_a_mask_where_the_click_is(tmp_path: Path) -> None:
    model = SamModel(tiny_model(tmp_path), tmp_path, threads=1)
    embedding = model.encode(np.full((48, 64, 3), 100, np.uint8))
    assert embedding.size == ImageSize(48, 64)
    assert embedding.tensors["image_embeddings"][0, :, :12].mean() == pytest.approx(100 / 255, abs=1e-6)
    assert not embedding.tensors["image_embeddings"][0, :, 12:].any()  # the padding
    prediction = model.decode(embedding, Prompt(ImageSize(480, 640), (Point(320, 120),)))
    rows, columns = np.nonzero(prediction.mask)
    assert [rows.mean(), columns.mean()] == pytest.approx([120, 320], abs=12)


def test_an_embedding_cannot_be_changed(tmp_path: Path) -> None:
    embedding = SamModel(tiny_model(tmp_path), tmp_path, threads=1).encode(np.zeros((8, 8, 3), np.uint8))
    with pytest.raises(ValueError, match="read-only"):
        embedding.tensors["image_embeddings"][:] = 1


def test_a_graph_that_is_none_is_unusable(tmp_path: Path) -> None:
    manifest = tiny_model(tmp_path)
    (tmp_path / "decoder.onnx").write_bytes(b"no graph")
    with pytest.raises(ModelUnusable, match=r"decoder\.onnx"):
        SamModel(manifest, tmp_path, threads=1).warm_up()


def test_a_tensor_that_the_graph_lacks_is_named(tmp_path: Path) -> None:
    manifest = tiny_model(tmp_path)
    encoder = msgspec.structs.replace(manifest.encoder, inputs={"image": "pictures"})
    with pytest.raises(ModelUnusable, match="no input pictures"):
        SamModel(msgspec.structs.replace(manifest, encoder=encoder), tmp_path, threads=1).warm_up()


def test_an_unknown_family_is_unusable() -> None:
    with pytest.raises(ModelUnusable, match="'yolo'"):
        family("yolo")
