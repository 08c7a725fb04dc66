"""A checkpoint file: tensors by name, read without running what is in it."""

import pickle
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch

from server.errors import ModelUnusable

_WRAPPERS = ("model", "state_dict", "model_state_dict")  # under which training code keeps the tensors
_CODE = re.compile(r"GLOBAL (\S+)")  # in torch's message: what it would have to run


def read_checkpoint(path: Path) -> Mapping[str, torch.Tensor]:
    """The tensors in a file that torch.save wrote, in float32, without the prefix that all their names have.

    Raises:
        ModelUnusable: the file is no checkpoint, or holds more than tensors.
    """
    content = _loaded(path)
    for wrapper in _WRAPPERS:
        if isinstance(content, Mapping) and isinstance(content.get(wrapper), Mapping):
            content = content[wrapper]
    if not isinstance(content, Mapping) or not content or not all(map(torch.is_tensor, content.values())):
        keys = f"; it has {listed(map(str, content))}" if isinstance(content, Mapping) and content else ""
        raise ModelUnusable(
            f"{path} holds no tensors by name, as a model's state_dict does, nor one as {', '.join(_WRAPPERS)}{keys}"
        )
    tensors = {str(name): t.float() if t.is_floating_point() else t for name, t in content.items()}
    return _without_prefix(tensors)


def listed(names: Iterable[str], shown: int = 3) -> str:
    """The first of many names, and how many more there are."""
    every = list(names)
    return ", ".join(every[:shown]) + (f" and {len(every) - shown} more" if len(every) > shown else "")


def _loaded(path: Path) -> Any:
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, ValueError, KeyError, pickle.UnpicklingError) as error:
        if code := _CODE.search(str(error)):
            raise ModelUnusable(
                f"{path} holds more than tensors, {code[1]}, which is not loaded: it could run code. Where you "
                f"trained it, save the tensors alone: torch.save(model.state_dict(), FILE)"
            ) from error
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        raise ModelUnusable(f"{path} is no checkpoint that torch.save wrote: {reason}") from error


def _without_prefix(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Wrappers of a model, such as DDP (`module.`) and Lightning (`model.`), put their own name before all others."""
    first, dot, _ = next(iter(tensors)).partition(".")
    if not dot or not all(name.startswith(first + dot) for name in tensors):
        return tensors
    return _without_prefix({name.removeprefix(first + dot): tensor for name, tensor in tensors.items()})
