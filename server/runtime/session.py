"""One ONNX graph, loaded, with its tensors addressed by name."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnxruntime as ort
import structlog
from numpy.typing import NDArray

from server.errors import ModelUnusable
from server.models.family import Tensors
from server.models.manifest import Graph
from server.runtime.affinity import for_workers, kept_on, own_cores
from server.runtime.device_tensor import HOST, Device, DeviceTensor, Kept
from server.runtime.gpu import ON_GPU, Gpu, with_options
from server.runtime.memory import DeviceFull, telling_when_full
from server.runtime.providers import AUTO, find_libraries, offered, refusal

_GRAPH_NUMBER = "gpu_graph_id"  # which captured CUDA graph a run replays
_NEVER_CAPTURED = -1
_SPIN_MICROSECONDS = "100"  # threads stay awake from one node to the next, and idle sessions burn no core
_GIVE_BACK = "memory.enable_memory_arena_shrinkage"  # of which devices, once the run is over

log = structlog.get_logger("samserve.runtime")


class Session:
    """A graph ready to run; `run` may be called from several threads at once.

    Raises:
        ModelUnusable: the graph is broken, or not what `graph` says, or `provider` (one of providers.PROVIDERS, or
            AUTO, which falls back to the CPU and says so) does not run it.
    """

    _HAS_CORES = False

    def __init__(
        self,
        path: Path,
        graph: Graph,
        threads: int,
        provider: str = AUTO,
        gpu: Gpu = Gpu(),  # noqa: B008 - frozen
    ) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.add_session_config_entry("session.intra_op.spin_duration_us", _SPIN_MICROSECONDS)
        cores = own_cores(threads) if self._HAS_CORES else ()
        if cores:
            options.add_session_config_entry("session.intra_op_thread_affinities", for_workers(cores))
        options.add_session_config_entry("session.record_ep_graph_assignment_info", "1")
        providers = offered(provider)
        find_libraries(providers)
        try:
            self._session = ort.InferenceSession(str(path), options, providers=with_options(providers, gpu))
        except Exception as error:  # onnxruntime raises a family of its own, without a common base
            raise ModelUnusable(f"onnxruntime cannot load {path.name}: {error}") from error
        self._graph, self._gpu, self._was_full = graph, gpu, False
        self._cores = cores if self.device == HOST else ()
        self._check_names()
        self._check_provider(provider)

    @property
    def provider(self) -> str:
        """The execution provider that really runs the graph."""
        return str(self._session.get_providers()[0])

    @property
    def nodes(self) -> Mapping[str, int]:
        """How many of the graph's nodes each provider runs."""
        counts: Counter[str] = Counter()
        for part in self._session.get_provider_graph_assignment_info():
            counts[part.ep_name] += len(part.get_nodes())
        return counts

    @property
    def device(self) -> Device:
        """Where it runs, and where what it leaves lies."""
        return ("cuda", self._gpu.number) if self.provider in ON_GPU else HOST

    @property
    def input_shapes(self) -> Mapping[str, tuple[int | str, ...]]:
        """By the family's names; a size that may be any is a string."""
        shapes = {tensor.name: tuple(tensor.shape) for tensor in self._session.get_inputs()}
        return {name: shapes[real] for name, real in self._graph.inputs.items()}

    @property
    def output_shapes(self) -> Mapping[str, tuple[int | str, ...]]:
        """As `input_shapes`."""
        shapes = {tensor.name: tuple(tensor.shape) for tensor in self._session.get_outputs()}
        return {name: shapes[real] for name, real in self._graph.outputs.items()}

    def run(self, tensors: Tensors) -> dict[str, NDArray[np.generic]]:
        """The graph's outputs for `tensors`, named as the family names them; it need not take all of them.

        Raises:
            DeviceFull: there is no room to run; what was taken for it is given back after the next run.
        """
        feeds = {theirs: tensors[ours] for ours, theirs in self._graph.inputs.items()}
        try:
            with telling_when_full(self._graph.file), kept_on(self._cores):
                outputs = self._session.run(list(self._graph.outputs.values()), feeds, self._options())
        except DeviceFull:
            self._was_full = True
            raise
        return dict(zip(self._graph.outputs, outputs, strict=True))

    def leave(self, tensors: Tensors, device: Device) -> Kept:
        """The outputs as they lie on `device`, not fetched.

        Raises:
            DeviceFull: there is no room for them.
        """
        outputs = self._run(self._binding({}, tensors, device))
        return dict(zip(self._graph.outputs, map(DeviceTensor, outputs), strict=True))

    def run_on(self, kept: Kept, tensors: Tensors) -> dict[str, NDArray[np.generic]]:
        """As `run`, with inputs some of which lie on the device already.

        Raises:
            DeviceFull: there is no room to run.
        """
        outputs = self._run(self._binding(kept, tensors, HOST))
        return dict(zip(self._graph.outputs, (value.numpy() for value in outputs), strict=True))

    def bound(self, inputs: Kept, outputs: Kept) -> ort.IOBinding:
        """Inputs and outputs at addresses that stay, for `replay`."""
        binding = self._session.io_binding()
        for name, tensor in inputs.items():
            binding.bind_ortvalue_input(self._graph.inputs[name], tensor.value)
        for name, tensor in outputs.items():
            binding.bind_ortvalue_output(self._graph.outputs[name], tensor.value)
        return binding

    def replay(self, binding: ort.IOBinding, number: int) -> None:
        """Runs at fixed addresses; where runs are captured, the first one with a `number` is, and later ones replay.

        Always on the same thread: onnxruntime keeps what was captured by thread.
        """
        self._run(binding, number)

    def _options(self) -> ort.RunOptions:
        options = ort.RunOptions()
        if self._was_full:
            self._was_full = False
            options.add_run_config_entry(_GIVE_BACK, "cpu:0" if self.device == HOST else f"gpu:{self._gpu.number}")
        return options

    def _binding(self, kept: Kept, tensors: Tensors, device: Device) -> ort.IOBinding:
        binding = self.bound(kept, {})
        for name, tensor in tensors.items():
            binding.bind_cpu_input(self._graph.inputs[name], np.ascontiguousarray(tensor))
        for name in self._graph.outputs.values():
            binding.bind_output(name, *device)
        return binding

    def _run(self, binding: ort.IOBinding, number: int = _NEVER_CAPTURED) -> list[ort.OrtValue]:
        options = ort.RunOptions()
        options.add_run_config_entry(_GRAPH_NUMBER, str(number))
        with telling_when_full(self._graph.file):
            self._session.run_with_iobinding(binding, options)
        outputs: list[ort.OrtValue] = binding.get_outputs()
        return outputs

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


class ClickSession(Session):
    """Of runs that are short and waited for: each of its threads has a core of its own (affinity.py).

    An encoder's threads have work enough between two nodes to be spread by the system, and make way for these.
    """

    _HAS_CORES = True
