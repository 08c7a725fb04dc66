"""Writing a torch module as an ONNX file, or as one with its weights beside it."""

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import onnx
import torch

OPSET = 17
_LARGEST_PROTOBUF = (2 << 30) - (1 << 20)  # bytes, with a margin for what is no weight


@dataclass(frozen=True)
class Tensors:
    """What goes into a graph and comes out of it.

    Attributes:
        inputs: example values by name, in the module's order.
        outputs: names in the module's order.
        axes: those whose size may change, by tensor and number.
    """

    inputs: Mapping[str, torch.Tensor]
    outputs: tuple[str, ...]
    axes: Mapping[str, Mapping[int, str]]


def write_graph(module: torch.nn.Module, tensors: Tensors, path: Path) -> None:
    """Writes `path`, and where that would be larger than a protobuf can be, `path`.data beside it."""
    with TemporaryDirectory(dir=path.parent) as scratch, warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # about branches that are traced one way: the gate judges what comes out
        torch.onnx.export(
            module,
            tuple(tensors.inputs.values()),
            str(Path(scratch) / path.name),
            input_names=list(tensors.inputs),
            output_names=list(tensors.outputs),
            dynamic_axes={name: dict(axes) for name, axes in tensors.axes.items()},
            opset_version=OPSET,
            dynamo=False,
        )
        collect(Path(scratch) / path.name, path)


def rewrite(path: Path, convert: Callable[[onnx.ModelProto], onnx.ModelProto]) -> None:
    """Has the graph at `path` replaced by what `convert` makes of it."""
    converted = convert(onnx.load(str(path)))
    with TemporaryDirectory(dir=path.parent) as scratch:
        onnx.save_model(converted, str(Path(scratch) / path.name), save_as_external_data=_is_large(converted))
        path.with_name(f"{path.name}.data").unlink(missing_ok=True)
        collect(Path(scratch) / path.name, path)


def _is_large(model: onnx.ModelProto) -> bool:
    return bool(model.ByteSize() > _LARGEST_PROTOBUF)


def collect(source: Path, path: Path, largest: int = _LARGEST_PROTOBUF) -> None:
    """Moves a graph to `path`; its weights go into one file there if they are in several, or make it too large.

    Args:
        largest: bytes of a protobuf.
    """
    if len(list(source.parent.iterdir())) == 1 and source.stat().st_size <= largest:
        source.replace(path)
        return
    onnx.save_model(
        onnx.load(str(source)),
        str(path),
        save_as_external_data=True,
        all_tensors_to_one_file=True,
        location=f"{path.name}.data",
    )
