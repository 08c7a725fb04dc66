"""How a GPU is used: the options that onnxruntime's providers are given."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ON_GPU = ("TensorrtExecutionProvider", "CUDAExecutionProvider")


@dataclass(frozen=True, slots=True)
class Gpu:
    """How one graph uses a GPU.

    Attributes:
        number: which GPU, as CUDA counts them.
        engines: folder in which TensorRT keeps what it compiled; None compiles at each start.
        cache_bytes: how much of its memory what is kept of images may take.
        captured: whether the graph's runs are captured as CUDA graphs, and replayed.
    """

    number: int = 0
    engines: Path | None = None
    cache_bytes: int = 2048 << 20
    captured: bool = False


def with_options(providers: Sequence[str], gpu: Gpu) -> list[tuple[str, dict[str, str]]]:
    """onnxruntime's providers with the options of each."""
    options = {"CUDAExecutionProvider": _cuda, "TensorrtExecutionProvider": _tensorrt}
    return [(name, options[name](gpu) if name in options else {}) for name in providers]


def _cuda(gpu: Gpu) -> dict[str, str]:
    return {
        "device_id": str(gpu.number),
        "arena_extend_strategy": "kSameAsRequested",  # all shapes are known: doubling would only waste memory
        "cudnn_conv_algo_search": "EXHAUSTIVE",  # once per shape, while the server warms up
        "use_tf32": "0",  # float32 graphs answer as on the CPU; who wants speed exports a float16 one
        "enable_cuda_graph": str(int(gpu.captured)),
    }


def _tensorrt(gpu: Gpu) -> dict[str, str]:
    """Without trt_fp16_enable: TensorRT would then round float32 graphs, whose masks nobody checked."""
    options = {"device_id": str(gpu.number)}
    if gpu.engines:
        options |= {
            "trt_engine_cache_enable": "1",
            "trt_engine_cache_path": str(gpu.engines),
            "trt_timing_cache_enable": "1",
            "trt_timing_cache_path": str(gpu.engines),
        }
    return options
