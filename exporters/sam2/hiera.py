"""Which Hiera encoder a SAM 2 checkpoint holds: told by names and shapes, and for the rest by what was published."""

from dataclasses import dataclass
from itertools import pairwise

from exporters.families.state import State

_TRUNK = "image_encoder.trunk"


@dataclass(frozen=True)
class Untold:
    """What neither names nor shapes tell.

    Attributes:
        size: what it is called.
        heads: of the first stage's attention; each stage has twice as many as the one before.
        windows: side of the attention's windows, per stage.
        global_blocks: numbers of the blocks that attend to the whole image.
        input_size: side in pixels of the encoder's square input.
    """

    size: str
    heads: int
    windows: tuple[int, ...]
    global_blocks: tuple[int, ...]
    input_size: int = 1024


@dataclass(frozen=True)
class Hiera:
    """An encoder's configuration.

    Attributes:
        width: channels of the first stage; each stage has twice as many as the one before.
        stages: blocks per stage.
        positions: (height, width) of the position embedding that is stretched over the image.
    """

    width: int
    stages: tuple[int, ...]
    positions: tuple[int, int]
    untold: Untold


PUBLISHED: dict[
    tuple[int, tuple[int, ...]], Untold
] = {  # by width and stages: the configurations of facebookresearch/sam2, the same in SAM 2 and 2.1
    (96, (1, 2, 7, 2)): Untold("tiny", 1, (8, 4, 14, 7), (5, 7, 9)),
    (96, (1, 2, 11, 2)): Untold("small", 1, (8, 4, 14, 7), (7, 10, 13)),
    (112, (2, 3, 16, 3)): Untold("base_plus", 2, (8, 4, 14, 7), (12, 16, 20)),
    (144, (2, 6, 36, 4)): Untold("large", 2, (8, 4, 16, 8), (23, 33, 43)),
}


def hiera_of(state: State) -> Hiera:
    """The configuration of the encoder in a checkpoint.

    Raises:
        ModelUnusable: there is no Hiera in it, or one that was never published.
    """
    _, width, *positions = state.shape(f"{_TRUNK}.pos_embed")
    stages = _stages(state)
    untold = PUBLISHED.get((width, stages))
    if untold is None:
        raise state.unfit(
            f"a Hiera of {width} channels with {' + '.join(map(str, stages))} blocks was never published, and weights "
            f"do not tell its windows and heads; known are {', '.join(known.size for known in PUBLISHED.values())}"
        )
    return Hiera(width, stages, (positions[0], positions[1]), untold)


def _stages(state: State) -> tuple[int, ...]:
    """Blocks per stage: one begins where a block projects its input to other channels."""
    blocks = f"{_TRUNK}.blocks"
    depth = state.depth(blocks)
    starts = [0, *(block for block in range(depth) if f"{blocks}.{block}.proj.weight" in state), depth]
    return tuple(end - start for start, end in pairwise(starts))
