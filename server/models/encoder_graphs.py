"""An encoder of samserve's own, in the place of the stock one."""

import hashlib

import msgspec

from server.models.manifest import Graph


class EncoderGraphs(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One ONNX file. Its tensors are called what they are called everywhere in samserve."""

    encoder: Graph

    @property
    def graphs(self) -> tuple[Graph]:
        """That one."""
        return (self.encoder,)


def rounded_identity(stock_sha256: str, builder: str) -> str:
    """What embeddings of the rounded encoder are kept under, a sha256 (hex): never the exact ones' place.

    It is not the graph's own hash, as the same graph can be written to a file in several ways.
    """
    return hashlib.sha256(f"{stock_sha256} int8 {builder}".encode()).hexdigest()
