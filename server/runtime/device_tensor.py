"""Tensors that stay where graphs run: in a GPU's memory, or in this process's own."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

Device = tuple[str, int]  # onnxruntime's name of its kind, and its number
HOST: Device = ("cpu", 0)


@dataclass(frozen=True, slots=True, eq=False)
class DeviceTensor:
    """A float32 tensor in a device's memory; it goes when nobody refers to it."""

    value: ort.OrtValue

    @classmethod
    def zeros(cls, shape: tuple[int, ...], device: Device) -> "DeviceTensor":
        """One that is filled later, at an address that stays."""
        tensor = cls(ort.OrtValue.ortvalue_from_shape_and_type(shape, np.float32, *device))
        tensor.fill(np.zeros(shape, np.float32))
        return tensor

    @classmethod
    def copied(cls, array: NDArray[np.generic], device: Device) -> "DeviceTensor":
        """An array's content; on the host the array itself."""
        return cls(ort.OrtValue.ortvalue_from_numpy(np.ascontiguousarray(array), *device))

    @property
    def nbytes(self) -> int:
        """Bytes it takes."""
        return int(self.value.tensor_size_in_bytes())

    def fill(self, content: "DeviceTensor | NDArray[np.generic]") -> None:
        """Takes over the content of a tensor of the same shape, wherever that is."""
        self.value.update_inplace(content.value if isinstance(content, DeviceTensor) else content)

    def fetched(self) -> NDArray[np.generic]:
        """A copy of its content."""
        array: NDArray[np.generic] = self.value.numpy()
        return array.copy() if self.value.device_name() == "cpu" else array  # there it is the memory itself


Kept = Mapping[str, DeviceTensor]  # by the family's names
