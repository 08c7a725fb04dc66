"""The bodies that Label Studio sends; what is not listed here is skipped, not built."""

from typing import Any, TypeVar

import msgspec

from server.core.items import DrawnItem
from server.core.reference import Login
from server.errors import BadOptions, BadRequest

T = TypeVar("T")


class TaskPayload(msgspec.Struct, frozen=True):
    """A task. Its annotations, drafts and predictions, often megabytes of masks, are left out."""

    data: dict[str, Any]
    id: int | str | None = None


class Context(msgspec.Struct, frozen=True):
    """What was drawn."""

    result: list[DrawnItem] | None = None


class PredictParams(msgspec.Struct, frozen=True):
    """`context` is null unless a smart tool was used; login and password are those of the project's task data."""

    context: Context | None = None
    login: str | None = None
    password: str | None = None


class PredictRequest(msgspec.Struct, frozen=True):
    """The body of /predict."""

    tasks: list[TaskPayload]
    project: str | int | None = None
    label_config: str | None = None
    params: PredictParams | None = None

    @property
    def drawn(self) -> list[DrawnItem] | None:
        """What was drawn; None when no smart tool was used."""
        context = self.params.context if self.params else None
        return context.result if context else None

    @property
    def login(self) -> Login | None:
        """What the servers of the project's images want; None when the project gives nothing."""
        return Login(self.params.login, self.params.password or "") if self.params and self.params.login else None


class SetupRequest(msgspec.Struct, frozen=True):
    """The body of /setup."""

    project: str | int | None = None
    schema: str | None = None
    extra_params: dict[str, Any] | str | None = None

    @property
    def options(self) -> dict[str, Any]:
        """The extra params; a form may have sent them as text.

        Raises:
            BadOptions: the text is no JSON object.
        """
        if not isinstance(self.extra_params, str):
            return self.extra_params or {}
        try:
            return msgspec.json.decode(self.extra_params or "{}", type=dict[str, Any])
        except (msgspec.MsgspecError, RecursionError) as error:
            raise BadOptions(f'extra_params: expected a JSON object such as {{"output": "polygon"}}: {error}') from None


class WebhookRequest(msgspec.Struct, frozen=True):
    """The body of /webhook."""

    action: str


_DECODERS: dict[type, msgspec.json.Decoder[Any]] = {
    kind: msgspec.json.Decoder(kind) for kind in (PredictRequest, SetupRequest, WebhookRequest)
}


def decode_body(body: bytes, kind: type[T]) -> T:
    """The request in a JSON body.

    Raises:
        BadRequest: it is not JSON, or lacks something; the message names the field.
    """
    if not body:
        raise BadRequest("the body is empty; expected a JSON object")
    try:
        request: T = _DECODERS[kind].decode(body)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise BadRequest(f"the body is not what this endpoint takes: {error}") from None
    return request
