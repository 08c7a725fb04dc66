"""Families of published models: a module each, whose `exportable` makes two torch halves of a checkpoint."""

from collections.abc import Callable, Mapping
from importlib import import_module

import torch

from exporters.exportable import Exportable
from exporters.names import FAMILIES


def exportable(family: str, state: Mapping[str, torch.Tensor]) -> Exportable:
    """The model that `state` is of, read as one of `family`, one of FAMILIES.

    Raises:
        ModelUnusable: it is none; the message says what does not fit.
        ModuleNotFoundError: the family's package is not installed.
    """
    make: Callable[[Mapping[str, torch.Tensor]], Exportable] = import_module(FAMILIES[family]).exportable
    return make(state)
