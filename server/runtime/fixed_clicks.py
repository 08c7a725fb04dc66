"""Runs of a click graph at fixed addresses and in few shapes, as captured CUDA graphs need them."""

from collections.abc import Mapping

import numpy as np

from server.models.decoder_graphs import ABSENT
from server.models.family import Tensors
from server.runtime.device_tensor import Device, DeviceTensor, Kept
from server.runtime.session import Session

COUNTS = (2, 4, 8, 16)  # points that a prompt is filled up to; longer ones run as they are
OF_PROMPT = ("point_coords", "point_labels", "mask_input")
_POINTS = ("point_coords", "point_labels")


def count_for(points: int) -> int | None:
    """What a prompt of so many points is filled up to; None where it runs as it is."""
    return next((count for count in COUNTS if count >= points), None)


def filled_up(tensors: Tensors, count: int) -> Tensors:
    """The prompt's tensors with `count` points, those that follow being ABSENT."""
    missing = count - tensors["point_labels"].shape[1]
    coords = np.pad(tensors["point_coords"], ((0, 0), (0, missing), (0, 0)))
    labels = np.pad(tensors["point_labels"], ((0, 0), (0, missing)), constant_values=ABSENT)
    return {**tensors, "point_coords": coords, "point_labels": labels}


class FixedImage:
    """One image's tensors at addresses that stay; the image is exchanged by copying on the device."""

    def __init__(self, shapes: Mapping[str, tuple[int, ...]], device: Device) -> None:
        self.tensors: Kept = {name: DeviceTensor.zeros(shape, device) for name, shape in shapes.items()}
        self._loaded: Kept | None = None

    def load(self, image: Kept) -> None:
        """Has the tensors of `image` at the addresses, where they are already if it was loaded last."""
        if image is self._loaded:
            return
        self._loaded = None  # half a copy is none
        for name, tensor in self.tensors.items():
            tensor.fill(image[name])
        self._loaded = image


class FixedClicks:
    """One padded click graph, bound once per count of points; for one thread.

    Where the session captures its runs, each count's first run is captured, so `warm_up` before the first click.
    """

    def __init__(self, session: Session, image: FixedImage) -> None:
        self._session, self._image = session, image
        self._prompts, self._bindings = {}, {}
        self._outputs = {name: _zeros(shape, session.device) for name, shape in session.output_shapes.items()}
        for count in COUNTS:
            self._prompts[count] = {
                name: _zeros(_sized(shape, count), session.device)
                for name, shape in session.input_shapes.items()
                if name in OF_PROMPT
            }
            self._bindings[count] = session.bound({**image.tensors, **self._prompts[count]}, self._outputs)

    def run(self, image: Kept, tensors: Tensors) -> Tensors:
        """The graph's outputs for a prompt on an image."""
        count = count_for(tensors["point_labels"].shape[1])
        if count is None:
            return self._session.run_on(image, tensors)
        self._image.load(image)
        for name, array in filled_up(tensors, count).items():
            self._prompts[count][name].fill(array)
        self._session.replay(self._bindings[count], count)
        return {name: tensor.fetched() for name, tensor in self._outputs.items()}

    def warm_up(self) -> None:
        """Runs every shape, and once more as clicks will."""
        for count in (*COUNTS, *COUNTS):
            self._session.replay(self._bindings[count], count)


def _zeros(shape: tuple[int | str, ...], device: Device) -> DeviceTensor:
    return DeviceTensor.zeros(tuple(int(size) for size in shape), device)


def _sized(shape: tuple[int | str, ...], count: int) -> tuple[int, ...]:
    return tuple(count if isinstance(size, str) else size for size in shape)
