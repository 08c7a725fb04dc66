"""The composition root: with engine.py, the one place that knows every concrete class."""

import time
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager

from litestar import Litestar, Router
from litestar.di import Provide
from litestar.exceptions import HTTPException

from server.doctor.diagnosis import Diagnosis
from server.doctor.image import ImageWay
from server.engine import Engine, gpus, studio_api
from server.errors import ModelUnusable, SamserveError
from server.models.manifest import Manifest
from server.runtime.gpu_versions import gpu_versions
from server.runtime.model import SamModel
from server.service.backlog import Backlog
from server.service.chores import Chores
from server.service.magnifier import Magnifier
from server.service.next_tasks import NextTasks
from server.service.ports import TaskSource
from server.service.precompute import Precompute
from server.service.project_options import ProjectOptions
from server.service.projects import Projects
from server.service.refiner import Refiner
from server.service.segmenter import Segmenter
from server.service.standing import Background
from server.service.task_events import TaskEvents
from server.settings import Settings
from server.speed_up import speed_up_decoder, speed_up_encoder
from server.web.advice import Advice
from server.web.auth import BasicAuth
from server.web.background import BackgroundGauges
from server.web.errors import answer_bug, answer_domain_error, answer_http_error
from server.web.hang_up import UploadedRequest
from server.web.metrics import Metrics
from server.web.model_info import ModelInfo
from server.web.predict import Predict
from server.web.routes import HANDLERS
from server.weights.store import GraphStore, find_manifest

_MAX_BODY_BYTES = 512 << 20  # Label Studio sends every mask of the task along
_CLICKS_AT_ONCE = 128
_BACKLOG_BYTES = 64 << 20  # some 100,000 tasks
_PROJECTS = 4096

_Lifespan = Callable[[Litestar], AbstractAsyncContextManager[None]]


def load_model(settings: Settings) -> SamModel:
    """The model that the settings name, verified, loaded and warm.

    Raises:
        ModelUnusable: its graphs are not on this machine, or broken, or the provider does not run them.
    """
    store = _store(settings)
    manifest = find_manifest(settings.model, store.root)
    for file in manifest.files:
        if problem := store.problem(manifest, file):
            raise ModelUnusable(f"{file.file} is {problem}; {manifest.remedy}")
    return load_verified(manifest, settings)


def load_verified(manifest: Manifest, settings: Settings) -> SamModel:
    """As `load_model`, of graphs that were just found to be what the manifest says.

    Raises:
        ModelUnusable: they are broken, or the provider does not run them.
    """
    store = _store(settings)
    model = SamModel(manifest, store.folder(manifest), settings.cores, settings.provider, gpus(settings))
    speed_up_encoder(model, manifest, store, settings)
    if not speed_up_decoder(model, manifest, store, settings):
        model.warm_up()
    return model


def create_app(settings: Settings, model: SamModel) -> Litestar:
    """The server, ready to be run by any ASGI server in one process and one event loop."""
    engine, decoder = Engine(settings, model), ThreadPoolExecutor(1, "decoder")
    backlog, metrics, chores = Backlog(_BACKLOG_BYTES), Metrics(), Chores()
    precompute = Precompute(engine.embedder, backlog, metrics.stages, engine.encodes_at_once)
    background = Background(precompute, backlog, engine.queue, (model, engine.cache))
    metrics.registry.register(BackgroundGauges(background.standing))
    metrics.placed(model.nodes)
    diagnosis = _diagnosis(settings, ImageWay(engine.images, engine.decode_image, model))
    events = _task_events(settings, engine.tasks, precompute, chores)
    options, advice, info = ProjectOptions(_PROJECTS), Advice(), _info(settings, model)
    injected = {
        "answer": Predict(_segmenter(engine, model, decoder), options, advice, events, info, settings.max_pixels),
        "options": options,
        "advice": advice,
        "model": info,
        "events": events,
        "metrics": metrics,
        "background": background,
        "diagnosis": diagnosis,
    }
    return _litestar(settings, injected, _lifespan(decoder, engine, diagnosis, precompute, chores))


def _store(settings: Settings) -> GraphStore:
    return GraphStore(settings.cache_path / "weights")


def _lifespan(
    decoder: Executor, engine: Engine, diagnosis: Diagnosis, precompute: Precompute, chores: Chores
) -> _Lifespan:
    @asynccontextmanager
    async def lifespan(_: Litestar) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            stack.callback(decoder.shutdown, cancel_futures=True)
            await stack.enter_async_context(engine.running())
            stack.push_async_callback(diagnosis.close)
            await stack.enter_async_context(precompute.running())
            await stack.enter_async_context(chores.running())
            yield

    return lifespan


def _litestar(settings: Settings, injected: Mapping[str, object], lifespan: _Lifespan) -> Litestar:
    return Litestar(
        [Router(settings.base_path or "/", route_handlers=HANDLERS, guards=_guards(settings))],
        dependencies={name: _provide(value) for name, value in injected.items()},
        exception_handlers={
            SamserveError: answer_domain_error,
            HTTPException: answer_http_error,
            Exception: answer_bug,
        },
        lifespan=[lifespan],
        request_class=UploadedRequest,
        request_max_body_size=_MAX_BODY_BYTES,
        logging_config=None,
        openapi_config=None,
    )


def _provide(value: object) -> Provide:
    return Provide(lambda: value, sync_to_thread=False)


def _guards(settings: Settings) -> list[BasicAuth]:
    user, password = settings.basic_auth_user, settings.basic_auth_pass
    return [BasicAuth(user, password)] if user else []


def _info(settings: Settings, model: SamModel) -> ModelInfo:
    return ModelInfo(
        title=model.title,
        version=model.version,
        provider=model.provider,
        encoder=model.encoder,
        decoder=model.decoder,
        chooses=model.chooses,
        has_password=bool(settings.basic_auth_user),
        nodes=model.nodes,
        gpu=gpu_versions() if model.is_on_gpu else {},
    )


def _segmenter(engine: Engine, model: SamModel, decoder: Executor) -> Segmenter:
    refiner = Refiner(model, time.monotonic)
    magnifier = Magnifier(engine.embedder, refiner, model, decoder)
    return Segmenter(engine.embedder, magnifier, refiner, decoder, _CLICKS_AT_ONCE)


def _diagnosis(settings: Settings, way: ImageWay) -> Diagnosis:
    return Diagnosis(studio_api(settings) if settings.knows_label_studio else None, way)


def _task_events(settings: Settings, source: TaskSource | None, precompute: Precompute, chores: Chores) -> TaskEvents:
    projects = Projects(_PROJECTS)
    following = NextTasks(projects, source, settings.look_ahead, time.monotonic)
    return TaskEvents(precompute, projects, following, chores, source)
