"""Several images in one run of an encoder."""

from collections.abc import Sequence

import numpy as np

from server.models.family import Tensors
from server.runtime.parity import largest_share
from server.runtime.session import Session

_ROUNDING = 0.1  # of the largest value: other kernels round otherwise, even bfloat16; another image is further off


def takes_several(session: Session) -> bool:
    """Whether a graph takes any number of images and gives as many; MobileSAM's takes any number and gives one."""
    shapes = (*session.input_shapes.values(), *session.output_shapes.values())
    return all(shape and isinstance(shape[0], str) for shape in shapes)


def run_together(session: Session, images: Sequence[Tensors]) -> list[Tensors]:
    """The outputs of each image, from one run.

    Raises:
        DeviceFull: there is no room for so many.
    """
    if len(images) == 1:
        return [session.run(images[0])]
    outputs = session.run({name: np.concatenate([image[name] for image in images]) for name in session.input_shapes})
    return [  # copies, as whoever keeps a part of an array keeps all of it
        {name: tensor[number : number + 1].copy() for name, tensor in outputs.items()} for number in range(len(images))
    ]


def keeps_apart(session: Session, image: Tensors, count: int) -> bool:
    """Whether each of `count` images has the outputs that it has alone; they are `image`, moved sideways."""
    images = [{name: np.roll(tensor, 16 * number, -1) for name, tensor in image.items()} for number in range(count)]
    together = run_together(session, images)
    return all(
        expected.shape == outputs[name].shape and largest_share(expected, outputs[name]) <= _ROUNDING
        for image, outputs in zip(images, together, strict=True)
        for name, expected in session.run(image).items()
    )
