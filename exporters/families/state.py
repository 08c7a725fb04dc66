"""A checkpoint's tensors, asked for what a family expects of them."""

import re
from collections.abc import Iterable, Mapping
from itertools import count

import torch

from exporters.checkpoint import listed
from server.errors import ModelUnusable

# --family -> a tensor that only its checkpoints have; the first that fits
_SIGNS = {
    "hq_sam": "mask_decoder.hf_token.weight",
    "sam2": "sam_mask_decoder.iou_token.weight",
    "efficient_sam": "prompt_encoder.bbox_top_left_embeddings.weight",
    "sam": "prompt_encoder.no_mask_embed.weight",
}


class State:
    """Tensors by name, of a model that should be one of `family`.

    Everything asked of it raises ModelUnusable where the answer is not there, naming the tensor and the family that
    the checkpoint looks like.
    """

    def __init__(self, tensors: Mapping[str, torch.Tensor], family: str) -> None:
        self._tensors, self._family = tensors, family
        if looks_like(tensors) not in (family, None):
            raise self.unfit("its tensors have other names")

    def __contains__(self, name: str) -> bool:
        return name in self._tensors

    def shape(self, name: str) -> tuple[int, ...]:
        """The shape of a tensor."""
        if name not in self._tensors:
            raise self.unfit(f"it lacks {name}")
        return tuple(self._tensors[name].shape)

    def matrix(self, name: str) -> tuple[int, int]:
        """The first two sizes of a tensor: (out, in) of a linear layer or a convolution."""
        shape = self.shape(name)
        if len(shape) < 2:
            raise self.unfit(f"{name} has the shape {list(shape)}")
        return shape[0], shape[1]

    def depth(self, prefix: str) -> int:
        """How many modules `prefix`.0, `prefix`.1, ... there are; at least one."""
        numbers = {
            int(found[1]) for name in self._tensors if (found := re.match(rf"{re.escape(prefix)}\.(\d+)\.", name))
        }
        if 0 not in numbers:
            raise self.unfit(f"it lacks {prefix}.0")
        return next(number for number in count() if number not in numbers)

    def fill(self, module: torch.nn.Module, ignored: Iterable[str] = ()) -> None:
        """Loads everything into a module, which goes into evaluation mode; names that match `ignored` may be left over.

        Args:
            ignored: regular expressions.
        """
        wanted = {name: tuple(tensor.shape) for name, tensor in module.state_dict().items()}
        given = {name: tuple(tensor.shape) for name, tensor in self._tensors.items()}
        unused = [name for name in given if name not in wanted and not any(re.match(rule, name) for rule in ignored)]
        lacking = [name for name in wanted if name not in given and not any(re.match(rule, name) for rule in ignored)]
        other = [name for name in wanted if name in given and given[name] != wanted[name]]
        if other:
            name = other[0]
            raise self.unfit(f"{name} has the shape {list(given[name])}, expected {list(wanted[name])}")
        if lacking or unused:
            parts = (("it lacks", lacking), ("it has", unused))
            raise self.unfit("; ".join(f"{verb} {listed(names)}" for verb, names in parts if names))
        module.load_state_dict({name: self._tensors[name] for name in wanted if name in given}, strict=False)
        module.eval().requires_grad_(False)

    def unfit(self, reason: str) -> ModelUnusable:
        """The error that says why this is no checkpoint of the family."""
        looks = looks_like(self._tensors)
        advice = f"; it looks like one for --family {looks}" if looks != self._family else ""
        if looks is None:
            tops = dict.fromkeys(name.partition(".")[0] for name in self._tensors)
            advice = f"; its tensors' names begin with {listed(tops, 8)}"
        return ModelUnusable(f"this is no checkpoint of --family {self._family}: {reason}{advice}")


def looks_like(tensors: Mapping[str, torch.Tensor]) -> str | None:
    """The family that a checkpoint's tensors are of; None when it is none of ours."""
    return next((family for family, sign in _SIGNS.items() if sign in tensors), None)
