"""Every endpoint of Label Studio's ML backend contract."""

from typing import Any

import msgspec
import structlog
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import RawBody
from prometheus_client import CONTENT_TYPE_LATEST

from server import __version__
from server.core.answer import check_options
from server.core.labelconfig import parse_label_config
from server.core.options import parse_extra_params
from server.service.project_options import ProjectOptions
from server.service.standing import Background, Standing
from server.service.task_events import TaskEvents
from server.stages import STAGES, collect_stages, stage
from server.web.advice import Advice
from server.web.auth import OPEN
from server.web.diagnose import diagnose
from server.web.hang_up import unless_hung_up
from server.web.metrics import Metrics
from server.web.model_info import ModelInfo
from server.web.playground import playground, playground_file, to_playground, wants_page
from server.web.predict import Predict
from server.web.schemas import PredictRequest, SetupRequest, WebhookRequest, decode_body
from server.web.webhook import pass_on

_MAX_WEBHOOK_BYTES = 8 << 20  # some thousand tasks; anyone may send one

log = structlog.get_logger("samserve.web")


@get("/")
async def root(request: Request[Any, Any, Any], model: NamedDependency[ModelInfo]) -> Response[Any]:
    """Health, and for people the playground."""
    answer: Response[Any] = to_playground(request) if wants_page(request) else Response(_health(model))
    answer.headers["Vary"] = "Accept"
    return answer


@get("/health")
async def health(model: NamedDependency[ModelInfo]) -> dict[str, Any]:
    """Up means: the weights are verified and loaded, and a first prompt went through."""
    return _health(model)


def _health(model: ModelInfo) -> dict[str, Any]:
    used = {"gpu": model.gpu} if model.gpu else {}
    return {
        "status": "UP",
        "model_class": model.title,
        "model_version": model.version,
        "provider": model.provider,
        "encoder": model.encoder,
        "decoder": model.decoder,
        "graphs": model.nodes,
        **used,
        "version": __version__,
    }


@post("/setup", status_code=200)
async def setup(
    body: RawBody,
    model: NamedDependency[ModelInfo],
    options: NamedDependency[ProjectOptions],
    advice: NamedDependency[Advice],
    events: NamedDependency[TaskEvents],
) -> dict[str, str]:
    """Label Studio asks this very often, for the model's version; wrong answer options are told here.

    A config that smart tools cannot work with is warned of only: the rest of the project works.
    """
    request = decode_body(body, SetupRequest)
    given = parse_extra_params(request.options)
    config = parse_label_config(request.schema) if request.schema else None
    check_options(config, given, chooses=model.chooses)
    options.put(str(request.project), given)
    if config:
        advice.on_config(request.project_id, config, given)
    events.configured(request.project_id, request.schema)
    log.debug("setup", project=request.project, options=given)
    return {"model_version": model.version}


@post("/predict", status_code=200)
async def predict(
    request: Request[Any, Any, Any],
    body: RawBody,
    answer: NamedDependency[Predict],
    metrics: NamedDependency[Metrics],
) -> Response[bytes]:
    """A smart tool's gesture -> regions; a task that was opened -> nothing, but its images are encoded meanwhile.

    Server-Timing tells where the time went.
    """
    with collect_stages() as stages:
        with stage("parse"):
            asked = decode_body(body, PredictRequest)
        with metrics.predict("click" if asked.drawn else "opened", stages):
            prediction = await unless_hung_up(request, answer(asked))
            with stage("result"):
                content = msgspec.json.encode(prediction)
    return Response(content, media_type="application/json", headers={"Server-Timing": _server_timing(stages)})


@get("/metrics")
async def prometheus(metrics: NamedDependency[Metrics]) -> Response[bytes]:
    """What Prometheus scrapes."""
    return Response(metrics.exposition(), media_type=CONTENT_TYPE_LATEST)


@get("/precompute")
async def precompute(background: NamedDependency[Background]) -> Standing:
    """Where the encoding in advance stands, since the start of this server."""
    return background.standing()


@post("/webhook", status_code=200, opt=OPEN, request_max_body_size=_MAX_WEBHOOK_BYTES)
async def webhook(body: RawBody, events: NamedDependency[TaskEvents]) -> dict[str, str]:
    """Events of the project; unknown ones are none of our business."""
    request = decode_body(body, WebhookRequest)
    log.debug("webhook", action=request.action)
    pass_on(request, events)
    if request.action == "START_TRAINING":
        return {"status": "nothing_to_train", "detail": "samserve serves fixed weights: there is nothing to train"}
    return {}


@get("/versions")
async def versions(model: NamedDependency[ModelInfo]) -> dict[str, list[str]]:
    """The one version that is served."""
    return {"versions": [model.version]}


def _server_timing(stages: dict[str, float]) -> str:
    """As in https://www.w3.org/TR/server-timing/, in milliseconds."""
    return ", ".join(f"{name};dur={stages[name] * 1e3:.2f}" for name in STAGES if name in stages)


HANDLERS: list[Any] = [
    root,
    health,
    playground,
    playground_file,
    setup,
    predict,
    webhook,
    versions,
    prometheus,
    precompute,
    diagnose,
]
