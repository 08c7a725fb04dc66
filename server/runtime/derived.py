"""What is derived of the embeddings that were used last: computed at the first use, bounded in bytes."""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from threading import Lock
from typing import Generic, Protocol, TypeVar
from weakref import ref

import numpy as np
from numpy.typing import NDArray

from server.core.embedding import ImageEmbedding
from server.runtime.memory import DeviceFull

Arrays = dict[str, NDArray[np.generic]]


class _Sized(Protocol):
    @property
    def nbytes(self) -> int: ...


T = TypeVar("T", bound=Mapping[str, _Sized])


class DerivedTensors(Generic[T]):
    """Tensors by embedding object, least recently used first out; they go when the embedding has gone.

    Attributes:
        hits, misses: what `of` had, and had to derive.
    """

    def __init__(self, max_bytes: int, derive: Callable[[ImageEmbedding], T]) -> None:
        self._max_bytes, self._derive = max_bytes, derive
        self._entries: OrderedDict[ref[ImageEmbedding], T] = OrderedDict()
        self._lock = Lock()
        self.hits = self.misses = 0

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        with self._lock:
            return self._held()

    def of(self, embedding: ImageEmbedding) -> T:
        """The embedding's tensors. One thread derives at a time: two at once would each have half the cores.

        Raises:
            DeviceFull: there is no room for them, even with all others forgotten.
        """
        key = ref(embedding)
        with self._lock:
            derived = self._entries.get(key)
            if derived is None:
                self.misses += 1
                derived = self._entries[key] = self._made(embedding)
                self._forget()
            else:
                self.hits += 1
                self._entries.move_to_end(key)
            return derived

    def _made(self, embedding: ImageEmbedding) -> T:
        while True:
            try:
                return self._derive(embedding)
            except DeviceFull:
                if not self._entries:
                    raise
            self._entries.popitem(last=False)

    def _forget(self) -> None:
        for key in [key for key in self._entries if key() is None]:
            del self._entries[key]
        while self._held() > self._max_bytes:
            self._entries.popitem(last=False)

    def _held(self) -> int:
        return sum(array.nbytes for arrays in self._entries.values() for array in arrays.values())
