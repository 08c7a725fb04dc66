"""The bodies that Label Studio sends; what is not listed here is skipped, not built."""

from typing import Annotated, Any, TypeVar

import msgspec

from server.core.items import DrawnItem
from server.core.reference import Login
from server.core.task import Task
from server.errors import BadOptions, BadRequest

T = TypeVar("T")

_Project = Annotated[str, msgspec.Meta(max_length=100)] | int | None  # short, as it is remembered


class TaskPayload(msgspec.Struct, frozen=True):
    """A task. Its annotations, drafts and predictions, often megabytes of masks, are left out."""

    data: dict[str, Any]
    id: int | str | None = None

    @property
    def told(self) -> Task:
        """The task, without what this request alone is about."""
        return Task(str(self.id), self.data)


class Context(msgspec.Struct, frozen=True):
    """What was drawn, or what a client of another kind announces with an `event`."""

    result: list[DrawnItem] | None = None
    event: str | None = None


class PredictParams(msgspec.Struct, frozen=True):
    """`context` is null unless a smart tool was used; login and password are those of the project's task data."""

    context: Context | None = None
    login: str | None = None
    password: str | None = None

    def __repr__(self) -> str:  # nobody sees the password in a log or a traceback
        return f"PredictParams(context={self.context!r}, login={self.login!r})"


class PredictRequest(msgspec.Struct, frozen=True):
    """The body of /predict."""

    tasks: list[TaskPayload]
    project: _Project = None
    label_config: str | None = None
    params: PredictParams | None = None

    @property
    def project_id(self) -> str:
        """The project's id alone."""
        return _project_id(self.project)

    @property
    def drawn(self) -> list[DrawnItem] | None:
        """What was drawn; None when no smart tool was used."""
        context = self.params.context if self.params else None
        return context.result if context else None

    @property
    def login(self) -> Login | None:
        """What the servers of the project's images want; None when the project gives nothing."""
        return Login(self.params.login, self.params.password or "") if self.params and self.params.login else None

    @property
    def event(self) -> str | None:
        """What is announced; None when a smart tool was used, or a task opened."""
        context = self.params.context if self.params else None
        return context.event if context else None


class SetupRequest(msgspec.Struct, frozen=True):
    """The body of /setup."""

    project: _Project = None
    schema: str | None = None
    extra_params: dict[str, Any] | str | None = None

    @property
    def project_id(self) -> str:
        """The project's id alone."""
        return _project_id(self.project)

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


class WebhookTask(msgspec.Struct, frozen=True):
    """A task in a webhook; it may be told by its id alone."""

    id: int | str
    data: dict[str, Any] | None = None


class WebhookProject(msgspec.Struct, frozen=True):
    """The project that a webhook is about."""

    id: _Project = None
    label_config: str | None = None

    @property
    def project_id(self) -> str:
        """The project's id alone."""
        return _project_id(self.id)


class WebhookRequest(msgspec.Struct, frozen=True):
    """The body of /webhook; what it is about is read only where the action is of interest."""

    action: str
    tasks: msgspec.Raw = msgspec.Raw(b"[]")
    project: msgspec.Raw = msgspec.Raw(b"{}")


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


def _project_id(project: _Project) -> str:
    """/setup and /predict name a project by its id, a dot, and when it was made."""
    return "" if project is None else str(project).partition(".")[0]
