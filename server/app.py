"""The composition root: the one file that knows every concrete class."""

import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial

import structlog
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
from server.models.manifest import Manifest
from server.runtime.decoders import SplitDecoder
from server.runtime.model import SamModel
from server.service.embedder import Embedder
from server.service.identities import Identities
from server.service.project_options import ProjectOptions
from server.service.refiner import Refiner
from server.service.segmenter import Segmenter
from server.settings import Settings
from server.web.auth import BasicAuth
from server.web.errors import answer_bug, answer_domain_error, answer_http_error
from server.web.metrics import Metrics
from server.web.predict import Predict
from server.web.routes import HANDLERS, ModelInfo
from server.weights.built import built_decoder
from server.weights.store import GraphStore, find_manifest

log = structlog.get_logger("samserve.app")

_MAX_BODY_BYTES = 512 << 20  # Label Studio sends every mask of the task along
_CLICKS_AT_ONCE = 128
_PROJECTS = 4096
_IMAGE_FRESH_SECONDS = 300.0


def load_model(settings: Settings) -> SamModel:
    """The model that the settings name, verified, loaded and warm.

    Raises:
        ModelUnusable: its graphs are not on this machine, or broken, or the provider does not run them.
    """
    manifest, store = find_manifest(settings.model), GraphStore(settings.cache_path / "weights")
    for graph in manifest.graphs:
        if problem := store.problem(manifest, graph):
            raise ModelUnusable(f"{graph.file} is {problem}; run: samserve weights pull {manifest.name}")
    model = SamModel(manifest, store.folder(manifest), settings.cores, settings.provider)
    if settings.decoder == "stock" or not _sped_up(model, manifest, store, settings):
        model.warm_up()
    return model


def _sped_up(model: SamModel, manifest: Manifest, store: GraphStore, settings: Settings) -> bool:
    """Has the model use the decoder graphs built here; it keeps the stock one where it cannot, with a warning."""
    try:
        folder, graphs = built_decoder(manifest, store)
        model.use(SplitDecoder(graphs, folder, settings.cores, settings.provider))
    except (ModelUnusable, OSError) as error:
        log.warning(
            "fast_decoder_unusable",
            reason=str(error),
            instead="the stock decoder, which takes more than twice as long; SAMSERVE_DECODER=stock asks for it",
        )
        return False
    return True


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
    segmenter = Segmenter(embedder, Refiner(model, time.monotonic), decoder, _CLICKS_AT_ONCE)

    @asynccontextmanager
    async def lifespan(_: Litestar) -> AsyncIterator[None]:
        yield
        await images.close()
        encoder.shutdown(cancel_futures=True)
        decoder.shutdown(cancel_futures=True)

    options = ProjectOptions(_PROJECTS)
    predict = Predict(segmenter, options, model.version, settings.max_pixels)
    metrics = Metrics()
    info = ModelInfo(model.title, model.version, model.provider, model.decoder)
    return Litestar(
        [Router(settings.base_path or "/", route_handlers=HANDLERS, guards=_guards(settings))],
        dependencies={
            "answer": Provide(lambda: predict, sync_to_thread=False),
            "options": Provide(lambda: options, sync_to_thread=False),
            "model": Provide(lambda: info, sync_to_thread=False),
            "metrics": Provide(lambda: metrics, sync_to_thread=False),
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


def _guards(settings: Settings) -> list[BasicAuth]:
    user, password = settings.basic_auth_user, settings.basic_auth_pass
    return [BasicAuth(user, password)] if user else []


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
