"""The composition root: the one file that knows every concrete class."""

import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial

from litestar import Litestar, Router
from litestar.di import Provide
from litestar.exceptions import HTTPException

from server.cache.memory import MemoryCache
from server.errors import ModelUnusable, SamserveError
from server.images.decode import decode_image
from server.images.guard import AddressPolicy
from server.images.http import HttpImages
from server.images.label_studio import LabelStudioAuth
from server.images.resolve import ImageSources
from server.runtime.model import SamModel
from server.service.embedder import Embedder
from server.service.identities import Identities
from server.service.magnifier import Magnifier
from server.service.project_options import ProjectOptions
from server.service.refiner import Refiner
from server.service.segmenter import Segmenter
from server.settings import Settings
from server.web.errors import answer_bug, answer_domain_error, answer_http_error
from server.web.predict import Predict
from server.web.routes import HANDLERS, ModelInfo
from server.weights.store import GraphStore, find_manifest

_MAX_BODY_BYTES = 512 << 20  # Label Studio sends every mask of the task along
_CLICKS_AT_ONCE = 128
_PROJECTS = 4096
_IMAGE_FRESH_SECONDS = 300.0


def load_model(settings: Settings) -> SamModel:
    """The model that the settings name, verified, loaded and warm.

    Raises:
        ModelUnusable: its graphs are not on this machine, or broken.
    """
    manifest, store = find_manifest(settings.model), GraphStore(settings.cache_path / "weights")
    for graph in manifest.graphs:
        if problem := store.problem(manifest, graph):
            raise ModelUnusable(f"{graph.file} is {problem}; run: samserve weights pull {manifest.name}")
    model = SamModel(manifest, store.folder(manifest), settings.cores)
    model.warm_up()
    return model


def create_app(settings: Settings, model: SamModel) -> Litestar:
    """The server, ready to be run by any ASGI server in one process and one event loop."""
    encoder = ThreadPoolExecutor(1, "encoder")
    decoder = ThreadPoolExecutor(1, "decoder")
    images = _images(settings)
    embedder = Embedder(
        model=model,
        cache=MemoryCache(settings.embedding_memory_mib << 20),
        images=images,
        decode_image=partial(decode_image, max_pixels=settings.max_pixels),
        identities=Identities(_IMAGE_FRESH_SECONDS, time.monotonic),
        encoder=encoder,
    )
    magnifier = Magnifier(embedder, model, decoder)
    segmenter = Segmenter(embedder, magnifier, Refiner(model, time.monotonic), decoder, _CLICKS_AT_ONCE)

    @asynccontextmanager
    async def lifespan(_: Litestar) -> AsyncIterator[None]:
        yield
        await images.close()
        encoder.shutdown(cancel_futures=True)
        decoder.shutdown(cancel_futures=True)

    options = ProjectOptions(_PROJECTS)
    predict = Predict(segmenter, options, model.version, settings.max_pixels)
    info = ModelInfo(model.title, model.version, model.provider)
    return Litestar(
        [Router(settings.base_path or "/", route_handlers=HANDLERS)],
        dependencies={
            "answer": Provide(lambda: predict, sync_to_thread=False),
            "options": Provide(lambda: options, sync_to_thread=False),
            "model": Provide(lambda: info, sync_to_thread=False),
        },
        exception_handlers={
            SamserveError: answer_domain_error,
            HTTPException: answer_http_error,
            Exception: answer_bug,
        },
        lifespan=[lifespan],
        request_max_body_size=_MAX_BODY_BYTES,
        logging_config=None,
        openapi_config=None,
    )


def _images(settings: Settings) -> ImageSources:
    url, key = settings.label_studio_url or None, settings.label_studio_api_key
    http = HttpImages(
        AddressPolicy.allowing(settings.allow_hosts),
        settings.max_image_mib << 20,
        settings.fetch_seconds,
        LabelStudioAuth(url, key) if url and key else None,
        url,
    )
    return ImageSources(http, url, settings.max_image_mib << 20)
