"""From a stock decoder to samserve's own graphs."""

from pathlib import Path

from server.graphs.click import click_graph
from server.graphs.emit import OnnxGraph
from server.graphs.image import image_graph
from server.graphs.stock import read_decoder

FAMILIES = frozenset({"sam", "hq_sam", "sam2"})  # of whose decoders graphs can be built
VERSION = "2"  # goes up whenever the same stock decoder would become other graphs


def build(stock: Path, padded: bool = False) -> dict[str, OnnxGraph]:
    """The ONNX graphs `image`, `click` and `click_with_mask` made of the decoder at `stock`.

    Of padded ones the click graphs take points that are ABSENT.

    Raises:
        ModelUnusable: it is no decoder of SAM as segment_anything exports it, nor of HQ-SAM or SAM 2 as samserve does.
    """
    weights = read_decoder(stock)
    return {
        "image": image_graph(weights),
        "click": click_graph(weights, with_mask=False, padded=padded),
        "click_with_mask": click_graph(weights, with_mask=True, padded=padded),
    }
