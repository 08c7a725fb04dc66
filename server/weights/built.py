"""The graphs that were built on this machine: present, whole and up to date, or built now."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

import msgspec

from server.graphs.build import FAMILIES, VERSION, build
from server.graphs.emit import OnnxGraph
from server.graphs.tinyvit import build as tinyvit
from server.models.decoder_graphs import DecoderGraphs
from server.models.encoder_graphs import EncoderGraphs
from server.models.manifest import Graph, Manifest
from server.weights.store import GraphStore, problem_of

_RECORD = "graphs.json"
_LARGEST_TINYVIT = 64 << 20  # bytes; MobileSAM's is half of it, and larger graphs are not read to find that out
_Graphs = TypeVar("_Graphs", DecoderGraphs, EncoderGraphs)


def is_buildable(manifest: Manifest) -> bool:
    """Whether samserve has decoder graphs for the model's family; others are served with their stock decoder."""
    return manifest.family in FAMILIES


def built_decoder(manifest: Manifest, store: GraphStore, padded: bool = False) -> tuple[Path, DecoderGraphs]:
    """The folder with the graphs built of a model's stock decoder, and what is in it; builds what is not whole.

    The folder's name changes with the stock decoder and with the builder, so an outdated build is never found.

    Raises:
        ModelUnusable: the stock decoder is none that graphs can be built of.
        OSError: the folder cannot be written to.
    """
    kind = f"{VERSION}-padded" if padded else VERSION
    folder = store.folder(manifest) / f"decoder-{manifest.decoder.identity[:16]}-{kind}"
    graphs = _recorded(folder, DecoderGraphs)
    if graphs is None:
        built = build(store.folder(manifest) / manifest.decoder.file, padded)
        graphs = _kept(built, folder, store, DecoderGraphs, padded=padded)
    return folder, graphs


def built_encoder(manifest: Manifest, store: GraphStore, *, int8: bool) -> tuple[Path, EncoderGraphs] | None:
    """As `built_decoder`, of a model's stock encoder: as exact as that, or rounded to 8 bits; None if it is no TinyViT.

    Raises:
        ModelUnusable: it is a TinyViT of another make than MobileSAM's, or no graph.
        OSError: the folder cannot be written to.
    """
    if manifest.encoder.bytes > _LARGEST_TINYVIT:
        return None
    kind = "int8" if int8 else "fast"
    folder = store.folder(manifest) / f"encoder-{kind}-{manifest.encoder.identity[:16]}-{tinyvit.VERSION}"
    graphs = _recorded(folder, EncoderGraphs)
    if graphs is None:
        built = tinyvit.build_encoder(store.folder(manifest) / manifest.encoder.file, int8=int8)
        if built is None:
            return None
        graphs = _kept({"encoder": built}, folder, store, EncoderGraphs)
    return folder, graphs


def _recorded(folder: Path, kind: type[_Graphs]) -> _Graphs | None:
    """What the record in the folder says, if all of it is true."""
    try:
        graphs = msgspec.json.decode((folder / _RECORD).read_bytes(), type=kind)
    except (OSError, msgspec.MsgspecError):
        return None
    return None if any(problem_of(folder / graph.file, graph) for graph in graphs.graphs) else graphs


def _kept(
    built: Mapping[str, OnnxGraph], folder: Path, store: GraphStore, kind: type[_Graphs], **facts: bool
) -> _Graphs:
    """Files are moved into place one by one, the record last: whatever interrupts, it is true or missing."""
    with store.incoming() as scratch:
        graphs: dict[str, Graph] = {name: _written(scratch / f"{name}.onnx", graph) for name, graph in built.items()}
        record = msgspec.convert({**graphs, **facts}, kind)
        (scratch / _RECORD).write_bytes(msgspec.json.encode(record))
        folder.mkdir(exist_ok=True)
        (folder / _RECORD).unlink(missing_ok=True)
        for file in (*(graph.file for graph in graphs.values()), _RECORD):
            (scratch / file).replace(folder / file)
    return record


def _written(path: Path, graph: OnnxGraph) -> Graph:
    path.write_bytes(graph.content)
    inputs, outputs = ({tensor: tensor for tensor in names} for names in (graph.inputs, graph.outputs))
    return Graph(path.name, len(graph.content), hashlib.sha256(graph.content).hexdigest(), inputs, outputs)
