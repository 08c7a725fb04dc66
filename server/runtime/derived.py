"""What is derived of the embeddings that were used last: computed at the first use, bounded in bytes."""

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from weakref import ref

import numpy as np
from numpy.typing import NDArray

from server.core.embedding import ImageEmbedding

Arrays = dict[str, NDArray[np.generic]]


class DerivedTensors:
    """Tensors by embedding object, least recently used first out; they go when the embedding has gone."""

    def __init__(self, max_bytes: int, derive: Callable[[ImageEmbedding], Arrays]) -> None:
        self._max_bytes, self._derive = max_bytes, derive
        self._entries: OrderedDict[ref[ImageEmbedding], Arrays] = OrderedDict()
        self._lock = Lock()

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        with self._lock:
            return self._held()

    def of(self, embedding: ImageEmbedding) -> Arrays:
        """The embedding's tensors. One thread derives at a time: two at once would each have half the cores."""
        key = ref(embedding)
        with self._lock:
            derived = self._entries.get(key)
            if derived is None:
                derived = self._entries[key] = self._derive(embedding)
                self._forget()
            else:
                self._entries.move_to_end(key)
            return derived

    def _forget(self) -> None:
        for key in [key for key in self._entries if key() is None]:
            del self._entries[key]
        while self._held() > self._max_bytes:
            self._entries.popitem(last=False)

    def _held(self) -> int:
        return sum(array.nbytes for arrays in self._entries.values() for array in arrays.values())
