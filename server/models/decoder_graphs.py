"""A decoder of samserve's own: what it has of an image, it computes once per image."""

import msgspec

from server.models.manifest import Graph

ABSENT = -2.0  # label of a point that only fills a padded graph's input up


class DecoderGraphs(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Three ONNX files. Their tensors are called what they are called everywhere in samserve.

    Attributes:
        image: the image embedding -> what a click needs of it.
        click: that and points -> four masks.
        click_with_mask: that, points and a mask prompt -> four masks.
        padded: whether points may be ABSENT.
    """

    image: Graph
    click: Graph
    click_with_mask: Graph
    padded: bool = False

    @property
    def graphs(self) -> tuple[Graph, Graph, Graph]:
        """All three."""
        return self.image, self.click, self.click_with_mask
