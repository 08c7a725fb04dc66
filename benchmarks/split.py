"""The stock decoder cut in two, to measure what caching alone gives: the image's part, and the rest for each click.

All operations stay as they are; those that depend on the image alone, which without a mask prompt are the embedding's
layout and the first layer's projections of it, are run once per image.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper
from onnx.utils import Extractor

from server.core.embedding import ImageEmbedding
from server.models.family import Tensors
from server.models.manifest import Graph
from server.runtime.decoders import StockDecoder
from server.runtime.session import Session

_IMAGE, _PROMPT, _WITHOUT = "image_embeddings", ("point_coords", "point_labels"), ("mask_input", "has_mask_input")
_MASK_SIDE = 256


class SplitStock(StockDecoder):
    """Decodes prompts without a mask, all on one image."""

    def __init__(self, stock: Path, outputs: dict[str, str], folder: Path, threads: int) -> None:
        image, click, crossing = _halves(stock, tuple(outputs.values()))
        self._image = _session(image, folder / "image.onnx", {_IMAGE: _IMAGE}, _same(crossing), threads)
        rest = _session(click, folder / "click.onnx", _same([*crossing, *_PROMPT]), outputs, threads)
        super().__init__(lambda: rest)
        self._of_image: Tensors = {}

    def prepare(self, embedding: ImageEmbedding) -> None:
        """Runs the image's part."""
        self._of_image = self._image.run(embedding.tensors)

    def run(self, embedding: ImageEmbedding, inputs: Tensors) -> Tensors:
        """Runs the rest."""
        if not self._of_image:
            self.prepare(embedding)
        return super().run(embedding, {**self._of_image, **{name: inputs[name] for name in _PROMPT}})


def _halves(stock: Path, outputs: tuple[str, ...]) -> tuple[onnx.ModelProto, onnx.ModelProto, list[str]]:
    """The image's part, the click's, and the tensors that the first hands to the second."""
    model = onnx.load(str(stock))
    graph = model.graph
    graph.initializer.extend(_no_mask())
    _leave_out_repeats(graph)
    crossing = _crossing(graph)
    extractor = Extractor(onnx.shape_inference.infer_shapes(model))
    image = extractor.extract_model([_IMAGE], crossing)
    return image, extractor.extract_model([*crossing, *_PROMPT], list(outputs)), crossing


def _crossing(graph: onnx.GraphProto) -> list[str]:
    """The tensors of the image alone that operations need which need the prompt, too."""
    fixed, of_image, crossing = {tensor.name for tensor in graph.initializer}, {_IMAGE}, set()
    for node in graph.node:
        names = {name for name in node.input if name}
        if names <= fixed:
            fixed |= set(node.output)
        elif names <= fixed | of_image:
            of_image |= set(node.output)
        else:
            crossing |= names & of_image
    return sorted(crossing)


def _no_mask() -> Iterator[onnx.TensorProto]:
    shapes = {"mask_input": (1, 1, _MASK_SIDE, _MASK_SIDE), "has_mask_input": (1,)}
    for name in _WITHOUT:
        yield numpy_helper.from_array(np.zeros(shapes[name], np.float32), name)


def _leave_out_repeats(graph: onnx.GraphProto) -> None:
    """The graph repeats the image for each prompt of a batch, which is one: Unsqueeze, Tile, Reshape do nothing."""
    makers = {output: node for node in graph.node for output in node.output}
    for tile in [node for node in graph.node if node.op_type == "Tile"]:
        repeated = next(node for node in graph.node if node.op_type == "Reshape" and node.input[0] == tile.output[0])
        once = makers[tile.input[0]].input[0]
        for node in graph.node:
            for k, name in enumerate(node.input):
                if name == repeated.output[0]:
                    node.input[k] = once


def _session(
    model: onnx.ModelProto, path: Path, inputs: dict[str, str], outputs: dict[str, str], threads: int
) -> Session:
    onnx.save(model, str(path))
    return Session(path, Graph(path.name, path.stat().st_size, "", inputs, outputs), threads)


def _same(names: list[str]) -> dict[str, str]:
    return {name: name for name in names}
