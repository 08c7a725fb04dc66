"""The decoder graphs that were built on this machine: present, whole and up to date, or built now."""

import hashlib
from pathlib import Path

import msgspec

from server.graphs.build import FAMILIES, VERSION, build
from server.models.decoder_graphs import DecoderGraphs
from server.models.manifest import Graph, Manifest
from server.weights.store import GraphStore, problem_of

_RECORD = "graphs.json"


def is_buildable(manifest: Manifest) -> bool:
    """Whether samserve has decoder graphs for the model's family; others are served with their stock decoder."""
    return manifest.family in FAMILIES


def built_decoder(manifest: Manifest, store: GraphStore) -> tuple[Path, DecoderGraphs]:
    """The folder with the graphs built of a model's stock decoder, and what is in it; builds what is not whole.

    The folder's name changes with the stock decoder and with the builder, so an outdated build is never found.

    Raises:
        ModelUnusable: the stock decoder is none that graphs can be built of.
        OSError: the folder cannot be written to.
    """
    folder = store.folder(manifest) / f"decoder-{manifest.decoder.identity[:16]}-{VERSION}"
    graphs = _recorded(folder)
    if graphs is None:
        _build(store.folder(manifest) / manifest.decoder.file, folder, store)
        graphs = msgspec.json.decode((folder / _RECORD).read_bytes(), type=DecoderGraphs)
    return folder, graphs


def _recorded(folder: Path) -> DecoderGraphs | None:
    """What the record in the folder says, if all of it is true."""
    try:
        graphs = msgspec.json.decode((folder / _RECORD).read_bytes(), type=DecoderGraphs)
    except (OSError, msgspec.MsgspecError):
        return None
    return None if any(problem_of(folder / graph.file, graph) for graph in graphs.graphs) else graphs


def _build(stock: Path, folder: Path, store: GraphStore) -> None:
    """Files are moved into place one by one, the record last: whatever interrupts, it is true or missing."""
    with store.incoming() as scratch:
        graphs = {}
        for name, graph in build(stock).items():
            file = f"{name}.onnx"
            (scratch / file).write_bytes(graph.content)
            sha256 = hashlib.sha256(graph.content).hexdigest()
            inputs, outputs = ({tensor: tensor for tensor in names} for names in (graph.inputs, graph.outputs))
            graphs[name] = Graph(file, len(graph.content), sha256, inputs, outputs)
        record = msgspec.convert(graphs, DecoderGraphs)
        (scratch / _RECORD).write_bytes(msgspec.json.encode(record))
        folder.mkdir(exist_ok=True)
        (folder / _RECORD).unlink(missing_ok=True)
        for file in (*(graph.file for graph in record.graphs), _RECORD):
            (scratch / file).replace(folder / file)
