"""What callers are told about the model."""

from collections.abc import Mapping

import msgspec


class ModelInfo(msgspec.Struct, frozen=True):
    """What is served, and how.

    Attributes:
        version: follows its weights.
        provider: what runs its encoder.
        chooses: whether the decoder gives several masks to choose from.
        nodes: how many nodes of each of its graphs each execution provider really runs.
        gpu: versions of what the GPU is used through; empty where none is used.
    """

    title: str
    version: str
    provider: str
    encoder: str
    decoder: str
    chooses: bool
    has_password: bool = False
    nodes: Mapping[str, Mapping[str, int]] = {}
    gpu: Mapping[str, str] = {}
