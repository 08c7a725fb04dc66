"""The fast decoder on a GPU: what it has of an image stays there, and a click sends its points and takes masks."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import structlog

from server.core.embedding import ImageEmbedding
from server.core.tier_counts import TierCounts
from server.models.family import Tensors
from server.runtime.derived import DerivedTensors
from server.runtime.device_tensor import HOST, Device, DeviceTensor, Kept
from server.runtime.fixed_clicks import OF_PROMPT, FixedClicks, FixedImage
from server.runtime.memory import DeviceFull
from server.runtime.session import Session

T = TypeVar("T")

log = structlog.get_logger("samserve.runtime")


class GpuDecoder:
    """Padded click graphs, warm once it is built; any thread may call it.

    All its runs have one thread of their own: captured runs belong to a thread, and wait for no encode there.

    Raises:
        DeviceFull: there is no room for its own tensors.
    """

    name = "fast"

    def __init__(self, image: Session, click: Session, click_with_mask: Session, max_bytes: int) -> None:
        self._image, self._device = image, click.device
        self._sessions = {"image": image, "click": click, "click_with_mask": click_with_mask}
        self._needed = [name for name in click.input_shapes if name not in OF_PROMPT]
        self._kept = DerivedTensors(max_bytes, lambda embedding: self._derive(embedding, self._device))
        self._not_kept = 0
        self._thread = ThreadPoolExecutor(1, "gpu-decoder")
        self._click, self._click_with_mask = self._on_thread(lambda: self._warm(click, click_with_mask))

    def run(self, embedding: ImageEmbedding, inputs: Tensors) -> Tensors:
        """Four masks."""
        return self._on_thread(lambda: self._run(embedding, inputs))

    def prepare(self, embedding: ImageEmbedding) -> None:
        """Has what depends on the image alone in the GPU's memory."""
        self._on_thread(lambda: self._of(embedding))

    @property
    def sessions(self) -> Mapping[str, Session]:
        """All three."""
        return self._sessions

    def tiers(self) -> list[TierCounts]:
        """How the GPU's memory has served as the tier above RAM."""
        kept = self._kept
        counts = TierCounts(
            tier="gpu", hits=kept.hits, misses=kept.misses, bytes=kept.nbytes, dropped_writes=self._not_kept
        )
        return [counts]

    def _warm(self, *sessions: Session) -> tuple[FixedClicks, FixedClicks]:
        shapes = {name: tuple(map(int, sessions[0].input_shapes[name])) for name in self._needed}
        image = FixedImage(shapes, self._device)
        click, click_with_mask = (FixedClicks(session, image) for session in sessions)
        for clicks in (click, click_with_mask):
            clicks.warm_up()
        return click, click_with_mask

    def _run(self, embedding: ImageEmbedding, inputs: Tensors) -> Tensors:
        image, has_mask = self._of(embedding), bool(inputs["has_mask_input"][0])
        names = OF_PROMPT if has_mask else OF_PROMPT[:2]
        clicks = self._click_with_mask if has_mask else self._click
        return clicks.run(image, {name: inputs[name] for name in names})

    def _of(self, embedding: ImageEmbedding) -> Kept:
        try:
            return self._kept.of(embedding)
        except DeviceFull as error:
            self._not_kept += 1
            log.warning("gpu_memory_full", reason=str(error), way_out="lower SAMSERVE_GPU_CACHE_MIB")
            return self._derive(embedding, HOST)

    def _derive(self, embedding: ImageEmbedding, device: Device) -> Kept:
        """What the click graphs need of an image: most of it is derived, the rest is the encoder's own."""
        own = {name: embedding.tensors[name] for name in self._image.input_shapes}
        derived = self._image.leave(own, device)
        rest = [name for name in self._needed if name not in derived]
        return {**derived, **{name: DeviceTensor.copied(embedding.tensors[name], device) for name in rest}}

    def _on_thread(self, work: Callable[[], T]) -> T:
        return self._thread.submit(work).result()
