"""From a checkpoint to a model that the server finds."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec
import torch

from exporters.checkpoint import read_checkpoint
from exporters.exportable import Exportable
from exporters.families import exportable
from exporters.graph import OPSET, Tensors, rewrite, write_graph
from exporters.parity import LIMITS, agreement, embedding_drift, examples
from exporters.place import Place
from exporters.precision import CONVERSIONS, Convert
from exporters.reference import TorchModel
from server.errors import ModelUnusable
from server.models.manifest import Export, Graph, GraphFile, Manifest, Parity
from server.runtime.decoders import SplitDecoder
from server.runtime.model import SamModel
from server.runtime.parity import KINDS
from server.runtime.providers import AUTO
from server.weights.built import built_decoder, is_buildable
from server.weights.store import GraphStore, sha256_of


@dataclass(frozen=True)
class Request:
    """What a user asks for; see the command's options."""

    family: str
    checkpoint: Path
    name: str | None
    output: Path | None
    precision: str
    threads: int


def export(request: Request, store: GraphStore, tell: Callable[[str], None]) -> tuple[Manifest, Path]:
    """The exported model's manifest and folder; `tell` hears what is going on.

    Raises:
        ModelUnusable: the checkpoint does not fit, the place is taken, or the graphs answer otherwise than torch;
            nothing has been written then.
        ModuleNotFoundError: a package that the family needs is missing.
    """
    tell(f"loading {request.checkpoint.name}")
    sha256 = sha256_of(request.checkpoint)
    model = exportable(request.family, read_checkpoint(request.checkpoint))
    place = Place.of(request.name or _default_name(model, request.precision), request.output, store, sha256)
    with place.incoming() as scratch:
        folder = scratch.root / place.name
        folder.mkdir()
        manifest = _graphs(model, place.name, folder, request.precision, tell)
        parity = _checked(model, manifest, scratch, request, tell)
        export = Export(request.checkpoint.name, sha256, OPSET, request.precision, str(torch.__version__), parity)
        manifest = msgspec.structs.replace(manifest, export=export)
        (folder / "manifest.json").write_bytes(msgspec.json.format(msgspec.json.encode(manifest), indent=2))
        place.take(folder)
    return manifest, place.folder


def _default_name(model: Exportable, precision: str) -> str:
    return model.variant if precision == "fp32" else f"{model.variant}_{precision}"


def _graphs(model: Exportable, name: str, folder: Path, precision: str, tell: Callable[[str], None]) -> Manifest:
    """Writes both graphs, and describes them; the decoder, whose masks show every rounding, stays in float32."""
    size = model.preprocessing.input_size
    batch = {tensor: {0: "batch"} for tensor in ("image", *model.encoder_outputs)}
    image = Tensors({"image": torch.zeros(1, 3, size, size)}, model.encoder_outputs, batch)
    tell("exporting the encoder")
    encoder = _written(model.encoder, image, folder / "encoder.onnx", CONVERSIONS.get(precision))
    tell("exporting the decoder")
    prompt = Tensors(model.decoder_inputs, model.decoder_outputs, model.decoder_axes)
    decoder = _written(model.decoder, prompt, folder / "decoder.onnx")
    return Manifest(
        name=name,
        title=model.title,
        family=model.family,
        license=model.license,
        homepage=model.homepage,
        sources=[],
        encoder=encoder,
        decoder=decoder,
        preprocessing=model.preprocessing,
    )


def _written(module: torch.nn.Module, tensors: Tensors, path: Path, convert: Convert | None = None) -> Graph:
    write_graph(module.eval(), tensors, path)
    if convert:
        rewrite(path, convert)
    beside = path.with_name(f"{path.name}.data")
    files = [GraphFile(file.name, file.stat().st_size, sha256_of(file)) for file in (path, beside) if file.exists()]
    inputs, outputs = ({name: name for name in names} for names in (tensors.inputs, tensors.outputs))
    graph, *data = files
    return Graph(graph.file, graph.bytes, graph.sha256, inputs, outputs, tuple(data))


def _checked(
    model: Exportable, manifest: Manifest, scratch: GraphStore, request: Request, tell: Callable[[str], None]
) -> Parity:
    """What the graphs in `scratch` answer next to torch; samserve's own decoder graphs stay there, built."""
    limits, folder = LIMITS[request.precision], scratch.folder(manifest)
    provider = AUTO if request.precision == "bf16" else "cpu"  # onnxruntime runs that on some GPUs only
    graphs = SamModel(manifest, folder, request.threads, provider)
    shown = examples(TorchModel(model), graphs, tell)
    tell("checking: the decoder")
    drift, stock = embedding_drift(shown, limits), agreement(shown, graphs, limits)
    if not is_buildable(manifest):
        return Parity(len(shown), KINDS, drift, stock, fast=None)
    tell("building and checking samserve's own decoder")
    try:
        built, decoder = built_decoder(manifest, scratch)
    except ModelUnusable as error:  # the server will use the stock one, too
        tell(f"it will be served with the exported decoder only, which is slower: {error}")
        return Parity(len(shown), KINDS, drift, stock, fast=None)
    graphs.use(SplitDecoder(decoder, built, manifest.preprocessing, request.threads, provider))
    return Parity(len(shown), KINDS, drift, stock, agreement(shown, graphs, limits))
