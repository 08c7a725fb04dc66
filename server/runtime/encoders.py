"""The encoder, once on each GPU."""

from collections.abc import Sequence
from threading import Lock

from server.models.family import Tensors
from server.runtime.session import Session


class Encoders:
    """Sessions of one graph; each image goes to the one with the fewest under way. Any thread may call it.

    A session runs one image at a time: two on a GPU at once take as long as one after the other, and twice the memory.
    """

    def __init__(self, sessions: Sequence[Session]) -> None:
        self._sessions, self._turns = tuple(sessions), tuple(Lock() for _ in sessions)
        self._under_way, self._counting = [0] * len(self._sessions), Lock()

    def __len__(self) -> int:
        return len(self._sessions)

    def run(self, tensors: Tensors) -> Tensors:
        """The encoder's outputs."""
        with self._counting:
            number = self._under_way.index(min(self._under_way))
            self._under_way[number] += 1
        try:
            return self._run(number, tensors)
        finally:
            with self._counting:
                self._under_way[number] -= 1

    def run_everywhere(self, tensors: Tensors) -> Tensors:
        """As `run`, once on every session: what a first run compiles and searches for is done then."""
        *_, outputs = [self._run(number, tensors) for number in range(len(self._sessions))]
        return outputs

    def _run(self, number: int, tensors: Tensors) -> Tensors:
        with self._turns[number]:
            return self._sessions[number].run(tensors)
