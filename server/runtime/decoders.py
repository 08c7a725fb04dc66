"""Two ways to decode: the stock graph in one go, or samserve's own, which look at each image once."""

from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Protocol

from server.core.embedding import ImageEmbedding
from server.core.tier_counts import TierCounts
from server.models.decoder_graphs import DecoderGraphs
from server.models.family import Tensors
from server.models.manifest import Graph
from server.runtime.derived import Arrays, DerivedTensors
from server.runtime.providers import AUTO
from server.runtime.session import Session

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

    def __init__(self, graphs: DecoderGraphs, folder: Path, threads: int, provider: str = AUTO) -> None:
        self._graphs = graphs
        self._image, self._click, self._click_with_mask = (
            Session(folder / graph.file, graph, threads, provider) for graph in graphs.graphs
        )
        self._derived = DerivedTensors(_DERIVED_BYTES, self._derive)

    def run(self, embedding: ImageEmbedding, inputs: Tensors) -> Tensors:
        """Four masks."""
        tensors = {**inputs, **self._derived.of(embedding)}
        if not inputs["has_mask_input"][0]:
            return self._click.run(_needed(self._graphs.click, tensors))
        return self._click_with_mask.run(_needed(self._graphs.click_with_mask, tensors))

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
        return self._image.run(_needed(self._graphs.image, embedding.tensors))


def _needed(graph: Graph, tensors: Tensors) -> Tensors:
    return {name: tensors[name] for name in graph.inputs}
