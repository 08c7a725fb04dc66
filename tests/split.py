"""Small models of which fast decoders can be built: tiny encoders in front of random decoders."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx
from msgspec.structs import replace
from onnx import TensorProto, helper, numpy_helper

from server.models.manifest import Graph, Manifest
from server.weights.store import GraphStore, sha256_of
from tests.graphs import tiny_model
from tests.hq_decoder import write_hq_decoder
from tests.sam2_decoder import write_sam2_decoder
from tests.sam_decoder import UPSCALED, WIDTH, write_sam_decoder

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


def small_hq_model(folder: Path) -> Manifest:
    """The same with an HQ-SAM decoder, and an encoder that has features for it."""
    write_hq_decoder(folder / "decoder.onnx", GRID, INPUT_SIZE)
    return _with_maps(folder, "hq_sam", {"hq_features": (UPSCALED[1], 4 * GRID)})


def small_sam2_model(folder: Path) -> Manifest:
    """The same with a SAM 2 decoder, and an encoder that has finer maps for it."""
    write_sam2_decoder(folder / "decoder.onnx", GRID, INPUT_SIZE)
    maps = {"high_res_feats_0": (UPSCALED[1], 4 * GRID), "high_res_feats_1": (UPSCALED[0], 2 * GRID)}
    manifest = _with_maps(folder, "sam2", maps)
    return replace(manifest, preprocessing=replace(manifest.preprocessing, resize="square_bilinear_antialias"))


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


def _with_maps(folder: Path, family: str, maps: dict[str, tuple[int, int]]) -> Manifest:
    """The small model of the decoder in `folder`, with more maps of the image: of so many channels, of such a side."""
    decoder = (folder / "decoder.onnx").read_bytes()
    small = small_model(folder)
    (folder / "decoder.onnx").write_bytes(decoder)
    _write_encoder(folder / "encoder.onnx", maps)
    names = {name: name for name in maps}
    graphs = [renewed(graph, folder) for graph in small.graphs]
    inputs = {name: name for name in graphs[1].inputs if name != "orig_im_size"} | names
    return replace(
        small,
        name=f"small_{family}",
        family=family,
        encoder=replace(graphs[0], outputs=graphs[0].outputs | names),
        decoder=replace(graphs[1], inputs=inputs),
    )


def _write_encoder(path: Path, maps: Mapping[str, tuple[int, int]] | None = None) -> None:
    """Averages of 4 x 4 pixels, mixed into WIDTH channels; other maps are mixtures of as many pixels as they need."""
    rng, outputs = np.random.default_rng(1), {"embedding": (WIDTH, GRID), **(maps or {})}
    nodes, ends, weights = [], [("pixels", [1, 3, INPUT_SIZE, INPUT_SIZE])], []
    for name, (channels, size) in outputs.items():
        step = INPUT_SIZE // size
        kernel = [step, step]
        nodes.append(
            helper.make_node("Conv", ["pixels", f"{name}_weight"], [name], kernel_shape=kernel, strides=kernel)
        )
        weight = rng.normal(size=(channels, 3, step, step)).astype(np.float32) / step
        weights.append(numpy_helper.from_array(weight, f"{name}_weight"))
        ends.append((name, [1, channels, size, size]))
    tensors = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in ends]
    graph = helper.make_graph(nodes, "encoder", tensors[:1], tensors[1:], weights)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), str(path))
