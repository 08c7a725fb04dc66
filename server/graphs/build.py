"""From a stock decoder to samserve's own graphs."""

from pathlib import Path

from server.graphs.click import click_graph
from server.graphs.emit import OnnxGraph
from server.graphs.image import image_graph
from server.graphs.stock import read_decoder

FAMILIES = frozenset({"sam"})  # of whose decoders graphs can be built
VERSION = "1"  # goes up whenever the same stock decoder would become other graphs


def build(stock: Path) -> dict[str, OnnxGraph]:
    """The ONNX graphs `image`, `click` and `click_with_mask` made of the decoder at `stock`.

    Raises:
        ModelUnusable: it is no SAM decoder as segment_anything exports it.
    """
    weights = read_decoder(stock)
    return {
        "image": image_graph(weights),
        "click": click_graph(weights, with_mask=False),
        "click_with_mask": click_graph(weights, with_mask=True),
    }
