"""Two ways to decode: the stock graph in one go, or samserve's own, which look at each image once."""

from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Protocol

import numpy as np

from server.core.embedding import ImageEmbedding
from server.core.tier_counts import TierCounts
from server.models.decoder_graphs import DecoderGraphs
from server.models.family import Tensors
from server.models.manifest import Graph, Preprocessing
from server.models.mask_windows import assembled
from server.models.resize import reached
from server.runtime.derived import Arrays, DerivedTensors
from server.runtime.providers import AUTO
from server.runtime.session import ClickSession, Session

_DERIVED_BYTES = 256 << 20  # 18 images of 14 MiB


class Decoder(Protocol):
    """Takes the stock decoder's inputs and gives its outputs, of one mask or of four."""

    @property
    def name(self) -> str:
        """What it is called in the settings."""
        ...

    def run(self, embedding: ImageEmbedding, inputs: Tensors) -> Tensors:
        """The outputs for a prompt on an image; any thread may call it."""
        ...

    def prepare(self, embedding: ImageEmbedding) -> None:
        """Computes what the first prompt on an image would have to wait for."""
        ...

    @property
    def sessions(self) -> Mapping[str, Session]:
        """Its graphs by name."""
        ...

    def tiers(self) -> list[TierCounts]:
        """How it has served where it keeps what it has of images on a device; none where it does not."""
        ...


class StockDecoder:
    """The graph as it was published, loaded when it is first needed."""

    name = "stock"

    def __init__(self, load: Callable[[], Session]) -> None:
        self._load = load

    def run(self, embedding: ImageEmbedding, inputs: Tensors) -> Tensors:  # noqa: ARG002 - it is among the inputs
        """One mask, chosen by the graph."""
        return self._session.run(inputs)

    def prepare(self, embedding: ImageEmbedding) -> None:
        """Nothing: the graph computes all of it for every prompt."""

    @property
    def sessions(self) -> Mapping[str, Session]:
        """The one."""
        return {"decoder": self._session}

    def tiers(self) -> list[TierCounts]:
        """None."""
        return []

    @cached_property
    def _session(self) -> Session:
        return self._load()


class SplitDecoder:
    """samserve's own graphs; what depends on the image alone is kept for the images that were clicked last.

    Raises:
        ModelUnusable: the graphs cannot be loaded.
    """

    name = "fast"

    def __init__(
        self, graphs: DecoderGraphs, folder: Path, how: Preprocessing, threads: int, provider: str = AUTO
    ) -> None:
        self._graphs, self._how = graphs, how
        image, *clicks = graphs.graphs
        self._image = Session(folder / image.file, image, threads, provider)
        self._click, self._click_with_mask = (
            ClickSession(folder / graph.file, graph, threads, provider) for graph in clicks
        )
        self._derived = DerivedTensors(_DERIVED_BYTES, self._derive)

    def run(self, embedding: ImageEmbedding, inputs: Tensors) -> Tensors:
        """Four masks."""
        graph, session = self._graphs.click, self._click
        if inputs["has_mask_input"][0]:
            graph, session = self._graphs.click_with_mask, self._click_with_mask
        outputs = session.run(_needed(graph, {**inputs, **self._derived.of(embedding)}))
        if "mask_windows" not in outputs:
            return outputs
        masks = assembled(outputs["mask_windows"].astype(np.float32, copy=False), *self._extent(embedding))
        return {"low_res_masks": masks, "iou_predictions": outputs["iou_predictions"]}

    def prepare(self, embedding: ImageEmbedding) -> None:
        """Has what depends on the image alone at hand."""
        self._derived.of(embedding)

    @property
    def sessions(self) -> Mapping[str, Session]:
        """All three."""
        return {"image": self._image, "click": self._click, "click_with_mask": self._click_with_mask}

    def tiers(self) -> list[TierCounts]:
        """None: it is in memory, as the embeddings are."""
        return []

    def _derive(self, embedding: ImageEmbedding) -> Arrays:
        """What the click graphs need of an image, of `upscaled` no more than they show."""
        derived = self._image.run(_needed(self._graphs.image, embedding.tensors))
        if "extent" not in self._graphs.click.inputs:
            return derived
        (rows, columns), grid = self._extent(embedding)
        upscaled = derived["upscaled"].reshape(grid, grid, -1)[:rows, :columns]
        shown = upscaled.reshape(rows * columns, -1).copy()
        return {**derived, "upscaled": shown, "extent": np.array([rows, columns], np.float32)}

    def _extent(self, embedding: ImageEmbedding) -> tuple[tuple[int, int], int]:
        """The (rows, columns) of the embedding's grid that the image is shown with, and that grid's side."""
        grid = embedding.tensors["image_embeddings"].shape[-1]
        return reached(embedding.size, grid, self._how), grid


def _needed(graph: Graph, tensors: Tensors) -> Tensors:
    return {name: tensors[name] for name in graph.inputs}
