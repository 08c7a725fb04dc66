"""The gate: what torch answers, the graphs must answer too."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from exporters.reference import TorchModel
from server.core.embedding import Image, ImageEmbedding
from server.core.geometry import ImageSize
from server.core.prediction import MaskPrediction
from server.core.prompt import Prompt
from server.errors import ModelUnusable
from server.models.manifest import Agreement
from server.models.resize import content
from server.runtime.model import SamModel
from server.runtime.parity import Limits, compared, example_picture, example_prompts, largest_share


@dataclass(frozen=True)
class ExportLimits(Limits):
    """How far the graphs may be from torch, the encoder's too.

    Attributes:
        embedding_drift: at most, as a share of torch's largest value.
    """

    embedding_drift: float


LIMITS = {
    "fp32": ExportLimits(mask_iou=0.995, logit_drift=0.01, iou_error=1e-3, embedding_drift=1e-3),
    "fp16": ExportLimits(mask_iou=0.98, logit_drift=0.05, iou_error=0.01, embedding_drift=0.02),
    "bf16": ExportLimits(mask_iou=0.95, logit_drift=0.1, iou_error=0.02, embedding_drift=0.1),
    "int8": ExportLimits(mask_iou=0.95, logit_drift=0.1, iou_error=0.02, embedding_drift=0.1),
}


def pictures() -> list[Image]:
    """Square, wide and tall ones."""
    wide = example_picture()
    return [np.ascontiguousarray(wide[:, :192]), wide, np.ascontiguousarray(wide[::-1, 20:130])]


@dataclass(frozen=True)
class Example:
    """A picture as torch and the graphs see it, and what torch answers.

    Attributes:
        number: of the picture, from 1.
        expected: its embedding by torch.
        found: by the graphs.
        answers: the kind of prompt, the prompt, torch's mask.
        seen: what the picture takes of the masks' logits.
    """

    number: int
    expected: ImageEmbedding
    found: ImageEmbedding
    answers: list[tuple[str, Prompt, MaskPrediction]]
    seen: ImageSize


def examples(reference: TorchModel, graphs: SamModel, tell: Callable[[str], None]) -> list[Example]:
    """All pictures with all kinds of prompt, each image encoded once; `tell` hears which, as large models take long."""
    shown, found = pictures(), []
    for number, picture in enumerate(shown, 1):
        tell(f"checking: picture {number} of {len(shown)}, by torch and by the new encoder")
        found.append(_example(number, picture, reference, graphs))
    return found


def _example(number: int, picture: Image, reference: TorchModel, graphs: SamModel) -> Example:
    expected = reference.encode(picture)
    decode = partial(reference.decode, expected)
    answers = [(kind, prompt, decode(prompt)) for kind, prompt in example_prompts(decode)]
    side = len(answers[0][2].low_res_logits)
    return Example(number, expected, graphs.encode(picture), answers, content(expected.size, side, reference.how))


def embedding_drift(examples: list[Example], limits: ExportLimits) -> float:
    """How far the encoder's graph is from torch, as a share of the largest value.

    Raises:
        ModelUnusable: too far.
    """
    worst = max(
        largest_share(tensor, example.found.tensors[name])
        for example in examples
        for name, tensor in example.expected.tensors.items()
    )
    if not worst <= limits.embedding_drift:
        raise ModelUnusable(
            f"the encoder's graph answers otherwise than the checkpoint: its embeddings differ by {worst:.2g} of the "
            f"largest value (at most {limits.embedding_drift:g}); nothing was written"
        )
    return worst


def agreement(examples: list[Example], graphs: SamModel, limits: Limits) -> Agreement:
    """How well the graphs answer every kind of prompt, from their own embeddings.

    Raises:
        ModelUnusable: they differ too much in one of them; the message says in which, and by how much.
    """
    found = []
    for example in examples:
        for kind, prompt, expected in example.answers:
            one = compared(expected, graphs.decode(example.found, prompt), example.seen)
            if problem := limits.overstepped(one):
                raise ModelUnusable(
                    f"the {graphs.decoder} decoder's graph answers otherwise than the checkpoint for {kind} on picture "
                    f"{example.number}: {problem}; nothing was written"
                )
            found.append(one)
    return Agreement(
        mask_iou=min(one.mask_iou for one in found),
        logit_drift=max(one.logit_drift for one in found),
        iou_error=max(one.iou_error for one in found),
    )
