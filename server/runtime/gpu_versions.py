"""The versions of all that a GPU is used through, asked of the libraries themselves."""

import ctypes
from collections.abc import Callable
from typing import Any

import onnxruntime as ort

from server.runtime.providers import cuda_major

_LENGTH = 96  # bytes, enough for NVML's longest answer

Load = Callable[[str], Any]


def gpu_versions(load: Load = ctypes.CDLL) -> dict[str, str]:
    """By name: driver, the CUDA that it runs, the CUDA and cuDNN that are here, onnxruntime; without what is absent."""
    asked = {
        "driver": lambda: _driver(load("libnvidia-ml.so.1")),
        "driver_cuda": lambda: _of_cuda(load("libcuda.so.1").cuDriverGetVersion),
        "cuda": lambda: _of_cuda(load(f"libcudart.so.{cuda_major()}").cudaRuntimeGetVersion),
        "cudnn": lambda: _of_cudnn(load("libcudnn.so.9")),
        "onnxruntime": lambda: str(ort.__version__),
    }
    found = {name: _told(version) for name, version in asked.items()}
    return {name: version for name, version in found.items() if version}


def _told(version: Callable[[], str]) -> str:
    try:
        return version()
    except (OSError, AttributeError):
        return ""


def _driver(nvml: Any) -> str:
    answer = ctypes.create_string_buffer(_LENGTH)
    if nvml.nvmlInit_v2() != 0:
        return ""
    try:
        return answer.value.decode() if nvml.nvmlSystemGetDriverVersion(answer, _LENGTH) == 0 else ""
    finally:
        nvml.nvmlShutdown()


def _of_cuda(ask: Callable[[Any], int]) -> str:
    """CUDA counts 13.1 as 13010."""
    number = ctypes.c_int()
    return f"{number.value // 1000}.{number.value % 1000 // 10}" if ask(ctypes.byref(number)) == 0 else ""


def _of_cudnn(cudnn: Any) -> str:
    """cuDNN counts 9.14.0 as 91400."""
    ask = cudnn.cudnnGetVersion
    ask.restype = ctypes.c_size_t
    number = int(ask())
    return f"{number // 10000}.{number % 10000 // 100}.{number % 100}"
