"""A small model of which a fast decoder can be built: a tiny encoder in front of a random SAM decoder."""

from pathlib import Path

import numpy as np
import onnx
from msgspec.structs import replace
from onnx import TensorProto, helper, numpy_helper

from server.models.manifest import Graph, Manifest
from server.weights.store import GraphStore, sha256_of
from tests.graphs import tiny_model
from tests.sam_decoder import WIDTH, write_sam_decoder

GRID, INPUT_SIZE = 64, 256


def small_model(folder: Path) -> Manifest:
    """Writes both graphs into `folder` and gives their manifest."""
    tiny = tiny_model(folder)
    _write_encoder(folder / "encoder.onnx")
    write_sam_decoder(folder / "decoder.onnx", GRID, INPUT_SIZE)
    return replace(
        tiny,
        name="small",
        encoder=renewed(tiny.encoder, folder),
        decoder=renewed(tiny.decoder, folder),
        preprocessing=replace(tiny.preprocessing, input_size=INPUT_SIZE),
    )


def stored(manifest: Manifest, folder: Path, cache: Path) -> GraphStore:
    """A store that has the model whose graphs are in `folder`."""
    store = GraphStore(cache)
    with store.incoming() as scratch:
        for graph in manifest.graphs:
            (scratch / graph.file).write_bytes((folder / graph.file).read_bytes())
        store.accept(manifest, scratch)
    return store


def renewed(graph: Graph, folder: Path) -> Graph:
    """The graph as it is in `folder` now."""
    path = folder / graph.file
    return replace(graph, bytes=path.stat().st_size, sha256=sha256_of(path))


def _write_encoder(path: Path) -> None:
    """Averages of 4 x 4 pixels, mixed into WIDTH channels."""
    weight = np.random.default_rng(1).normal(size=(WIDTH, 3, 4, 4)).astype(np.float32) / 4
    convolution = helper.make_node("Conv", ["pixels", "weight"], ["embedding"], kernel_shape=[4, 4], strides=[4, 4])
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
        for name, shape in (("pixels", [1, 3, INPUT_SIZE, INPUT_SIZE]), ("embedding", [1, WIDTH, GRID, GRID]))
    ]
    graph = helper.make_graph([convolution], "encoder", ends[:1], ends[1:], [numpy_helper.from_array(weight, "weight")])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), str(path))
