"""The composition root: the one file that knows every concrete class."""

import time
from collections.abc import AsyncIterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path

import structlog
from litestar import Litestar, Router
from litestar.di import Provide
from litestar.exceptions import HTTPException

from server.cache.disk import DiskCache
from server.cache.memory import MemoryCache
from server.cache.tiers import Tiered
from server.doctor.diagnosis import Diagnosis
from server.doctor.image import ImageWay
from server.errors import ModelUnusable, SamserveError
from server.images.decode import decode_image
from server.images.downloads import Downloads
from server.images.guard import AddressPolicy
from server.images.http import HttpImages
from server.images.label_studio import LabelStudioAuth
from server.images.label_studio_tasks import LabelStudioTasks
from server.images.local import LocalFiles
from server.images.locate import Locator
from server.images.objects import BucketImages
from server.images.resolve import ImageSources
from server.models.manifest import Manifest
from server.runtime.decoders import SplitDecoder
from server.runtime.model import SamModel
from server.service.backlog import Backlog
from server.service.chores import Chores
from server.service.embedder import Embedder
from server.service.encode_queue import EncodeQueue
from server.service.identities import Identities
from server.service.magnifier import Magnifier
from server.service.next_tasks import NextTasks
from server.service.ports import EmbeddingCache
from server.service.precompute import Precompute
from server.service.project_options import ProjectOptions
from server.service.projects import Projects
from server.service.refiner import Refiner
from server.service.segmenter import Segmenter
from server.service.task_events import TaskEvents
from server.settings import Settings
from server.studio.api import StudioApi
from server.web.auth import BasicAuth
from server.web.errors import answer_bug, answer_domain_error, answer_http_error
from server.web.metrics import Metrics
from server.web.model_info import ModelInfo
from server.web.predict import Predict
from server.web.routes import HANDLERS
from server.weights.built import built_decoder
from server.weights.store import GraphStore, find_manifest

log = structlog.get_logger("samserve.app")

_MAX_BODY_BYTES = 512 << 20  # Label Studio sends every mask of the task along
_CLICKS_AT_ONCE = 128
_ENCODES_WAITING = 160  # each holds an image file
_BACKLOG_BYTES = 64 << 20  # some 100,000 tasks
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
    reader = ThreadPoolExecutor(1, "embedding-reader")
    writer = ThreadPoolExecutor(1, "embedding-writer")
    http = _http(settings)
    images, decode = image_sources(settings, http), partial(decode_image, max_pixels=settings.max_pixels)
    embedder = Embedder(
        model=model,
        cache=_embeddings(settings, reader, writer),
        images=images,
        decode_image=decode,
        identities=Identities(_IMAGE_FRESH_SECONDS, time.monotonic),
        queue=EncodeQueue(encoder, _ENCODES_WAITING),
    )
    refiner = Refiner(model, time.monotonic)
    magnifier = Magnifier(embedder, refiner, model, decoder)
    segmenter = Segmenter(embedder, magnifier, refiner, decoder, _CLICKS_AT_ONCE)
    metrics, chores = Metrics(), Chores()
    precompute = Precompute(embedder, Backlog(_BACKLOG_BYTES), metrics.stages)
    events = _task_events(settings, http, precompute, chores)
    diagnosis = _diagnosis(settings, ImageWay(images, decode, model))

    @asynccontextmanager
    async def lifespan(_: Litestar) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            stack.callback(writer.shutdown)  # what was encoded is kept
            stack.callback(reader.shutdown, cancel_futures=True)
            stack.callback(decoder.shutdown, cancel_futures=True)
            stack.callback(encoder.shutdown, cancel_futures=True)
            stack.push_async_callback(images.close)
            stack.push_async_callback(diagnosis.close)
            stack.push_async_callback(embedder.close)
            await stack.enter_async_context(precompute.running())
            await stack.enter_async_context(chores.running())
            yield

    options = ProjectOptions(_PROJECTS)
    info = ModelInfo(model.title, model.version, model.provider, model.decoder, bool(settings.basic_auth_user))
    predict = Predict(segmenter, options, events, info, settings.max_pixels)
    return Litestar(
        [Router(settings.base_path or "/", route_handlers=HANDLERS, guards=_guards(settings))],
        dependencies={
            "answer": Provide(lambda: predict, sync_to_thread=False),
            "options": Provide(lambda: options, sync_to_thread=False),
            "model": Provide(lambda: info, sync_to_thread=False),
            "events": Provide(lambda: events, sync_to_thread=False),
            "metrics": Provide(lambda: metrics, sync_to_thread=False),
            "diagnosis": Provide(lambda: diagnosis, sync_to_thread=False),
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


def _embeddings(settings: Settings, reader: Executor, writer: Executor) -> EmbeddingCache:
    memory = MemoryCache(settings.embedding_memory_mib << 20)
    if settings.embedding_disk_gib == 0:
        return memory
    return Tiered(
        memory, DiskCache(settings.cache_path / "embeddings", settings.embedding_disk_gib << 30), reader, writer
    )


def _http(settings: Settings) -> HttpImages:
    url, key = settings.label_studio_url, settings.label_studio_api_key
    return HttpImages(
        AddressPolicy.allowing(settings.allow_hosts),
        settings.max_image_mib << 20,
        settings.fetch_seconds,
        LabelStudioAuth(url, key) if url and key else None,
        url or None,
    )


def image_sources(settings: Settings, http: HttpImages | None = None) -> ImageSources:
    """All the places that images come from."""
    mount = settings.label_studio_local_files_document_root
    max_bytes, seconds = settings.max_image_mib << 20, settings.fetch_seconds
    return ImageSources(
        Locator(settings.label_studio_url, settings.buckets, bool(mount), settings.label_studio_host),
        http or _http(settings),
        BucketImages(settings.buckets, max_bytes, seconds),
        LocalFiles(Path(mount), max_bytes, seconds) if mount else None,
        Downloads(settings.cache_path / "downloads", settings.download_cache_mib << 20),
        max_bytes,
    )


def _diagnosis(settings: Settings, way: ImageWay) -> Diagnosis:
    url, key = settings.label_studio_url, settings.label_studio_api_key
    return Diagnosis(StudioApi(url, LabelStudioAuth(url, key)) if url and key else None, way)


def _task_events(settings: Settings, http: HttpImages, precompute: Precompute, chores: Chores) -> TaskEvents:
    url, key = settings.label_studio_url, settings.label_studio_api_key
    source = LabelStudioTasks(http, url) if url and key else None
    projects = Projects(_PROJECTS)
    following = NextTasks(projects, source, settings.look_ahead, time.monotonic)
    return TaskEvents(precompute, projects, following, chores, source)
