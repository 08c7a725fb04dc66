"""Every endpoint of Label Studio's ML backend contract."""

from typing import Any

import msgspec
import structlog
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import RawBody

from server import __version__
from server.core.answer import check_options
from server.core.labelconfig import parse_label_config
from server.core.options import parse_extra_params
from server.service.project_options import ProjectOptions
from server.web.playground import playground, playground_file, to_playground, wants_page
from server.web.predict import Predict
from server.web.schemas import PredictRequest, SetupRequest, WebhookRequest, decode_body

log = structlog.get_logger("samserve.web")


class ModelInfo(msgspec.Struct, frozen=True):
    """What /health tells about the model."""

    title: str
    version: str
    provider: str


@get("/")
async def root(request: Request[Any, Any, Any], model: NamedDependency[ModelInfo]) -> Response[Any]:
    """Health, and for people the playground."""
    answer: Response[Any] = to_playground(request) if wants_page(request) else Response(_health(model))
    answer.headers["Vary"] = "Accept"
    return answer


@get("/health")
async def health(model: NamedDependency[ModelInfo]) -> dict[str, str]:
    """Up means: the weights are verified and loaded, and a first prompt went through."""
    return _health(model)


def _health(model: ModelInfo) -> dict[str, str]:
    return {
        "status": "UP",
        "model_class": model.title,
        "model_version": model.version,
        "provider": model.provider,
        "version": __version__,
    }


@post("/setup", status_code=200)
async def setup(
    body: RawBody, model: NamedDependency[ModelInfo], options: NamedDependency[ProjectOptions]
) -> dict[str, str]:
    """Label Studio asks this very often, for the model's version; wrong answer options are told here."""
    request = decode_body(body, SetupRequest)
    given = parse_extra_params(request.options)
    if request.schema:
        check_options(parse_label_config(request.schema), given)
    options.put(str(request.project), given)
    log.debug("setup", project=request.project, options=given)
    return {"model_version": model.version}


@post("/predict", status_code=200)
async def predict(body: RawBody, answer: NamedDependency[Predict]) -> Response[bytes]:
    """A smart tool's gesture -> regions; a task that was opened -> nothing yet."""
    prediction = await answer(decode_body(body, PredictRequest))
    return Response(msgspec.json.encode(prediction), media_type="application/json")


@post("/webhook", status_code=200)
async def webhook(body: RawBody) -> dict[str, str]:
    """Events of the project; unknown ones are none of our business."""
    action = decode_body(body, WebhookRequest).action
    log.debug("webhook", action=action)
    if action == "START_TRAINING":
        return {"status": "nothing_to_train", "detail": "samserve serves fixed weights: there is nothing to train"}
    return {}


@get("/versions")
async def versions(model: NamedDependency[ModelInfo]) -> dict[str, list[str]]:
    """The one version that is served."""
    return {"versions": [model.version]}


HANDLERS: list[Any] = [root, health, playground, playground_file, setup, predict, webhook, versions]
