"""A decoder of samserve's own: what it has of an image, it computes once per image."""

import msgspec

from server.models.manifest import Graph


class DecoderGraphs(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Three ONNX files. Their tensors are called what they are called everywhere in samserve.

    Attributes:
        image: the image embedding -> what a click needs of it.
        click: that and points -> four masks.
        click_with_mask: that, points and a mask prompt -> four masks.
    """

    image: Graph
    click: Graph
    click_with_mask: Graph

    @property
    def graphs(self) -> tuple[Graph, Graph, Graph]:
        """All three."""
        return self.image, self.click, self.click_with_mask
