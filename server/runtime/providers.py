"""Which execution providers a graph is offered, and why one of them does not run it."""

import ctypes
import importlib.metadata
from collections.abc import Callable, Sequence

import onnxruntime as ort
from onnxruntime.capi import build_and_package_info

CPU, CUDA = "CPUExecutionProvider", "CUDAExecutionProvider"
PROVIDERS = {
    "cpu": (CPU,),
    "cuda": (CUDA, CPU),
    "tensorrt": ("TensorrtExecutionProvider", CUDA, CPU),
}
AUTO = "auto"  # CUDA where it runs, else the CPU; TensorRT only when asked for, as it compiles for minutes

_DRIVER = "libcuda.so.1"


def offered(wanted: str) -> list[str]:
    """onnxruntime's names for what `wanted` (AUTO or one of PROVIDERS) allows, best first.

    Those that this build of onnxruntime lacks are left out.
    """
    built = ort.get_available_providers()
    return [name for name in PROVIDERS["cuda" if wanted == AUTO else wanted] if name in built]


def find_libraries(providers: Sequence[str], loads: Callable[[str], bool] | None = None) -> None:
    """Loads the CUDA and cuDNN that pip installed, which are not on the library path; nothing without a driver."""
    if CUDA in providers and (loads or _loads)(_DRIVER):
        ort.preload_dlls()


def for_decoder(wanted: str) -> str:
    """What runs the decoder's graphs: never TensorRT, which would compile anew, for minutes, at a longer prompt."""
    return "cuda" if wanted == "tensorrt" else wanted


def refusal(wanted: str, running: str, loads: Callable[[str], bool] | None = None) -> str | None:
    """What to tell when a graph runs on `running` (onnxruntime's name); None when that is as wanted.

    With AUTO the CPU is as wanted unless there is an NVIDIA driver; `loads` tells whether a shared library is found.
    """
    loads = loads or _loads
    best = PROVIDERS["cuda" if wanted == AUTO else wanted][0]
    if running == best or (wanted == AUTO and not loads(_DRIVER)):
        return None
    return why_not(best, ort.get_available_providers(), loads)


def why_not(provider: str, built: Sequence[str], loads: Callable[[str], bool]) -> str:
    """Why a provider does not run graphs here, and the way out."""
    if provider not in built:
        return _wrong_build(provider)
    if not loads(_DRIVER):
        return "there is no NVIDIA driver: install it, or start the container with --gpus all"
    missing = [name for name in _libraries(provider) if not loads(name)]
    if missing:
        return (
            f"{', '.join(missing)} cannot be loaded: onnxruntime {ort.__version__} needs CUDA "
            f"{cuda_major()} and cuDNN 9{' and TensorRT 10' if 'Tensorrt' in provider else ''} on the library path"
        )
    return "the driver and the libraries are here, but onnxruntime refuses them: its messages above say why"


def _wrong_build(provider: str) -> str:
    installed = [name for name in ("onnxruntime", "onnxruntime-gpu") if _is_installed(name)]
    if len(installed) == 2:
        return (
            "onnxruntime (CPU) and onnxruntime-gpu are both installed and the first hides the second: "
            "uninstall both, then install onnxruntime-gpu alone"
        )
    return f"{' and '.join(installed) or 'this onnxruntime'} has no {provider}: install onnxruntime-gpu instead of it"


def _libraries(provider: str) -> list[str]:
    cuda = cuda_major()
    libraries = [f"libcudart.so.{cuda}", f"libcublasLt.so.{cuda}", "libcudnn.so.9"]
    return [*libraries, "libnvinfer.so.10"] if "Tensorrt" in provider else libraries


def cuda_major() -> str:
    """Of the CUDA that this onnxruntime was built for."""
    return str(getattr(build_and_package_info, "cuda_version", "13")).partition(".")[0]


def _is_installed(distribution: str) -> bool:
    try:
        importlib.metadata.distribution(distribution)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True
