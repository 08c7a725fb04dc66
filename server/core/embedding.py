"""An image as the encoder sees it, and the key under which it is kept."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from server.core.geometry import ImageSize

Image = NDArray[np.uint8]  # (H, W, 3), RGB, EXIF orientation applied


@dataclass(frozen=True, slots=True)
class EmbeddingKey:
    """Names one embedding for ever: these pixels, through this encoder, prepared this way.

    Attributes:
        image: sha256 (hex) of the image's bytes as fetched, or a crop's identity.
        encoder: sha256 (hex) of the encoder graph.
        preprocessing: version of everything between the bytes and the encoder's input.
    """

    image: str
    encoder: str
    preprocessing: str


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class ImageEmbedding:
    """What the encoder made of one image; immutable, and safe to share between threads.

    Attributes:
        size: the decoded image's size in pixels.
        tensors: named encoder outputs, read-only.
    """

    size: ImageSize
    tensors: Mapping[str, NDArray[np.generic]]

    def __post_init__(self) -> None:
        for tensor in self.tensors.values():
            tensor.flags.writeable = False

    @property
    def nbytes(self) -> int:
        """Bytes held in memory."""
        return sum(tensor.nbytes for tensor in self.tensors.values())
