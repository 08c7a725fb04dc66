"""What a graph's numbers depend on beside the graph."""

import platform
from pathlib import Path

import onnxruntime as ort

_ON_LINUX = Path("/proc/cpuinfo")
_TELLING = ("model name", "flags", "Features", "CPU part")  # onnxruntime picks its kernels by what a processor can do


def surroundings() -> list[str]:
    """onnxruntime's version, and which processor this is."""
    return [ort.__version__, platform.machine(), *_processor(_ON_LINUX)]


def _processor(told: Path) -> list[str]:
    """Each telling line of Linux' description once; elsewhere what the platform calls it."""
    try:
        lines = told.read_text(errors="replace").splitlines()
    except OSError:
        return [platform.processor()]
    return sorted({line for line in lines if line.startswith(_TELLING)})
