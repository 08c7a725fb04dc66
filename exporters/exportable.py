"""A torch model in the two halves that the server runs."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch

from server.models.manifest import Preprocessing


@dataclass(frozen=True)
class Exportable:
    """What a family makes of a checkpoint.

    Attributes:
        variant: the exported model's name, unless the user gives another.
        family: its name in server/models/registry.py.
        encoder: (B, 3, S, S) float32 -> a tensor, or a tuple of them.
        encoder_outputs: what the family calls them.
        decoder: called with the tensors of `decoder_inputs` in their order.
        decoder_inputs: example values by the family's names.
        decoder_axes: dynamic axes by tensor name.
        decoder_outputs: the family's names.
    """

    variant: str
    title: str
    license: str
    homepage: str
    family: str
    encoder: torch.nn.Module
    encoder_outputs: tuple[str, ...]
    decoder: torch.nn.Module
    decoder_inputs: Mapping[str, torch.Tensor]
    decoder_axes: Mapping[str, Mapping[int, str]]
    decoder_outputs: tuple[str, ...]
    preprocessing: Preprocessing
