"""Domain errors -> status codes; the one place where that is decided."""

from typing import Any

import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException
from litestar.status_codes import HTTP_413_REQUEST_ENTITY_TOO_LARGE

from server.core.identifier import new_id
from server.errors import (
    BadRequest,
    BadSettings,
    ImageRefused,
    ImageUnavailable,
    ImageUnreadable,
    Overloaded,
    SamserveError,
)
from server.web.hang_up import HUNG_UP

log = structlog.get_logger("samserve.web")

_STATUS: dict[type[SamserveError], int] = {
    BadRequest: 400,
    ImageUnavailable: 502,
    ImageRefused: 422,
    ImageUnreadable: 422,
    Overloaded: 503,
    BadSettings: 409,  # only /diagnose asks for what settings may lack
}


def answer_domain_error(request: Request[Any, Any, Any], error: SamserveError) -> Response[dict[str, str]]:
    """A SamserveError with the status its kind has; the message is the way out."""
    status = next((_STATUS[kind] for kind in type(error).__mro__ if kind in _STATUS), 500)
    log.warning("refused", path=request.url.path, status=status, error=type(error).__name__, reason=str(error))
    headers = {"Retry-After": str(error.retry_after)} if isinstance(error, Overloaded) else None
    return _answer(status, type(error).__name__, str(error), headers)


def answer_http_error(request: Request[Any, Any, Any], error: HTTPException) -> Response[dict[str, str]]:
    """Litestar's own errors (no such path, wrong method, body too large) in the same form."""
    detail = _too_large(request) if error.status_code == HTTP_413_REQUEST_ENTITY_TOO_LARGE else error.detail
    tell = log.info if error.status_code == HUNG_UP else log.warning
    tell("refused", path=request.url.path, status=error.status_code, reason=detail)
    return _answer(error.status_code, type(error).__name__, detail, error.headers)


def answer_bug(request: Request[Any, Any, Any], error: Exception) -> Response[dict[str, str]]:
    """Anything else is a bug of ours: the traceback goes to the log, its reference to the caller."""
    reference = new_id()
    log.error("bug", path=request.url.path, reference=reference, exc_info=error)
    return _answer(500, "InternalError", f"samserve failed; the log has the reason under reference={reference}")


def _too_large(request: Request[Any, Any, Any]) -> str:
    limit = request.route_handler.resolve_request_max_body_size() or 0
    return f"the body is larger than {limit >> 20} MiB, the most that {request.url.path} takes"


def _answer(status: int, error: str, detail: str, headers: dict[str, Any] | None = None) -> Response[dict[str, str]]:
    return Response(
        {"error": error, "detail": detail}, status_code=status, headers=headers, media_type="application/json"
    )
