"""One ONNX graph, loaded, with its tensors addressed by name."""

from pathlib import Path

import numpy as np
import onnxruntime as ort
import structlog
from numpy.typing import NDArray

from server.errors import ModelUnusable
from server.models.family import Tensors
from server.models.manifest import Graph
from server.runtime.providers import AUTO, offered, refusal

log = structlog.get_logger("samserve.runtime")


class Session:
    """A graph ready to run; `run` may be called from several threads at once.

    Raises:
        ModelUnusable: the graph is broken, or not what `graph` says, or `provider` (one of providers.PROVIDERS, or
            AUTO, which falls back to the CPU and says so) does not run it.
    """

    def __init__(self, path: Path, graph: Graph, threads: int, provider: str = AUTO) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # idle sessions must not burn a core
        try:
            self._session = ort.InferenceSession(str(path), options, providers=offered(provider))
        except Exception as error:  # onnxruntime raises a family of its own, without a common base
            raise ModelUnusable(f"onnxruntime cannot load {path.name}: {error}") from error
        self._graph = graph
        self._check_names()
        self._check_provider(provider)

    @property
    def provider(self) -> str:
        """The execution provider that really runs the graph."""
        return str(self._session.get_providers()[0])

    def run(self, tensors: Tensors) -> dict[str, NDArray[np.generic]]:
        """The graph's outputs for `tensors`, named as the family names them; it need not take all of them."""
        feeds = {theirs: tensors[ours] for ours, theirs in self._graph.inputs.items()}
        outputs = self._session.run(list(self._graph.outputs.values()), feeds)
        return dict(zip(self._graph.outputs, outputs, strict=True))

    def _check_provider(self, wanted: str) -> None:
        reason = refusal(wanted, self.provider)
        if reason and wanted == AUTO:
            log.warning("gpu_not_used", graph=self._graph.file, provider=self.provider, reason=reason)
        elif reason:
            raise ModelUnusable(f"SAMSERVE_PROVIDER is {wanted}, but {self._graph.file} would run on the CPU: {reason}")

    def _check_names(self) -> None:
        for kind, named, real in (
            ("input", self._graph.inputs, self._session.get_inputs()),
            ("output", self._graph.outputs, self._session.get_outputs()),
        ):
            missing = set(named.values()) - {tensor.name for tensor in real}
            if missing:
                raise ModelUnusable(
                    f"{self._graph.file} has no {kind} {', '.join(sorted(missing))}, which its manifest names"
                )
