"""A checkpoint file: tensors by name, read without running what is in it."""

import pickle
from collections.abc import Mapping
from pathlib import Path

import torch

from server.errors import ModelUnusable

_WRAPPERS = ("model", "state_dict")  # under which some publish the tensors


def read_checkpoint(path: Path) -> Mapping[str, torch.Tensor]:
    """The tensors in a file that torch.save wrote, in float32.

    Raises:
        ModelUnusable: the file is no checkpoint, or holds more than tensors.
    """
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, ValueError, KeyError, pickle.UnpicklingError) as error:
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        raise ModelUnusable(f"{path} is no checkpoint that torch.save wrote: {reason}") from error
    for wrapper in _WRAPPERS:
        if isinstance(content, Mapping) and isinstance(content.get(wrapper), Mapping):
            content = content[wrapper]
    if not isinstance(content, Mapping) or not content or not all(map(torch.is_tensor, content.values())):
        raise ModelUnusable(f"{path} holds no tensors by name, as a model's state_dict does")
    return {name: tensor.float() if tensor.is_floating_point() else tensor for name, tensor in content.items()}
