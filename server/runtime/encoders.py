"""The encoder, once on each GPU."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Lock

import structlog

from server.models.family import Tensors
from server.runtime.batches import keeps_apart, run_together, takes_several
from server.runtime.memory import DeviceFull
from server.runtime.session import Session

log = structlog.get_logger("samserve.runtime")


@dataclass(frozen=True, slots=True, eq=False)
class _Asked:
    tensors: Tensors
    is_urgent: Callable[[], bool]
    outputs: Future[Tensors] = field(default_factory=Future)


class Encoders:
    """Sessions of one graph; images wait for whichever is free first. Any thread may call it.

    Each session makes one run at a time, on a thread of its own: two on a GPU at once take as long as one after the
    other, and twice the memory. A run has one image, or `batch` of those that are not urgent; no number between, as
    each would be searched the fastest kernels for, and have memory of its own.

    Attributes:
        batch: 1 where the graph takes no more, or where more were found not to do.
    """

    def __init__(self, sessions: Sequence[Session], batch: int = 1) -> None:
        self._places = [(session, ThreadPoolExecutor(1, "encodes")) for session in sessions]
        self.batch = batch if takes_several(sessions[0]) else 1
        self._waiting: list[_Asked] = []
        self._choosing = Lock()

    def __len__(self) -> int:
        return len(self._places)

    def run(self, tensors: Tensors, is_urgent: Callable[[], bool] = lambda: True) -> Tensors:
        """The encoder's outputs for one image, which goes next, and alone, if it `is_urgent` when a session is free."""
        asked = _Asked(tensors, is_urgent)
        self._ask(asked)
        return asked.outputs.result()

    def run_everywhere(self, tensors: Tensors) -> Tensors:
        """As `run`, once on every session, and in a batch: what a first run compiles and searches for is done then.

        For before the first image; where a batch goes wrong, there are none from then on.
        """
        *_, outputs = [thread.submit(self._try, session, tensors).result() for session, thread in self._places]
        return outputs

    def _ask(self, asked: _Asked) -> None:
        with self._choosing:
            self._waiting.append(asked)
        for session, thread in self._places:
            thread.submit(self._run_next, session)

    def _run_next(self, session: Session) -> None:
        group = self._next_group()
        if not group:  # it was run already
            return
        try:
            outputs = run_together(session, [asked.tensors for asked in group])
        except Exception as error:
            self._fail(group, error)
            return
        for asked, each in zip(group, outputs, strict=True):
            asked.outputs.set_result(each)

    def _next_group(self) -> list[_Asked]:
        with self._choosing:
            urgent = [asked for asked in self._waiting if asked.is_urgent()]
            count = self.batch if not urgent and len(self._waiting) >= self.batch else 1
            group = (urgent or self._waiting)[:count]
            self._waiting = [asked for asked in self._waiting if asked not in group]
            return group

    def _fail(self, group: Sequence[_Asked], error: Exception) -> None:
        if isinstance(error, DeviceFull) and len(group) > 1:
            self._stop_batches(str(error))
            for asked in group:
                self._ask(asked)
            return
        for asked in group:
            asked.outputs.set_exception(error)

    def _try(self, session: Session, tensors: Tensors) -> Tensors:
        outputs = session.run(tensors)
        try:
            if self.batch > 1 and not keeps_apart(session, tensors, self.batch):
                self._stop_batches("images of one run are not answered as alone")
        except Exception as error:  # onnxruntime raises a family of its own, without a common base
            self._stop_batches(str(error))
        return outputs

    def _stop_batches(self, reason: str) -> None:
        with self._choosing:
            had, self.batch = self.batch, 1
        if had > 1:
            log.warning("encodes_not_batched", reason=reason, instead="images are encoded one by one")
