"""An encoder of samserve's own, in the place of the stock one."""

from typing import Literal

import msgspec

from server.models.manifest import Graph

Kind = Literal["fast", "int8"]  # as exact as the stock one; rounded to 8 bits, with embeddings of its own


class EncoderGraphs(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One ONNX file. Its tensors are called what they are called everywhere in samserve."""

    encoder: Graph

    @property
    def graphs(self) -> tuple[Graph]:
        """That one."""
        return (self.encoder,)
