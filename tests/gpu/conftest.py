"""The models on a GPU and on the CPU of the same machine; without litestar, which a bare GPU machine may lack."""

import os

import onnxruntime as ort
import pytest

from server.environment import read_settings
from server.runtime.fast_decoder import fast_decoder
from server.runtime.gpu import Gpu
from server.runtime.model import SamModel
from server.settings import Settings
from server.weights.built import built_decoder
from tests.pulled import pulled

CUDA = "CUDAExecutionProvider"


@pytest.fixture(scope="session", autouse=True)
def cuda() -> None:
    """Without it nothing here says anything."""
    if CUDA not in ort.get_available_providers():
        pytest.skip("this onnxruntime has no CUDA: install onnxruntime-gpu")


@pytest.fixture(scope="session")
def settings() -> Settings:
    return read_settings(os.environ)


@pytest.fixture(scope="session")
def on_gpu(settings: Settings) -> SamModel:
    return model(settings, "cuda")


@pytest.fixture(scope="session")
def on_cpu(settings: Settings) -> SamModel:
    return model(settings, "cpu")


def model(settings: Settings, provider: str, cache_bytes: int = 1 << 30) -> SamModel:
    """The model of the settings, with its fast decoder, as a server loads it."""
    manifest, store = pulled(settings, settings.model)
    gpu = Gpu(settings.gpus[0], settings.cache_path / "tensorrt", cache_bytes)
    loaded = SamModel(manifest, store.folder(manifest), settings.cores, provider, [gpu])
    built, decoder = built_decoder(manifest, store, padded=loaded.is_on_gpu)
    loaded.use(fast_decoder(decoder, built, manifest.preprocessing, settings.cores, provider, gpu))
    return loaded
