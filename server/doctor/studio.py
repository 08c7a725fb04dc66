"""Is Label Studio there, does it know us, and is the project set up?"""

from dataclasses import dataclass
from typing import Any

from server.core.labelconfig import ControlTag, LabelConfig, ObjectTag, parse_label_config
from server.core.reference import ImageReference, Login
from server.core.task import image_value
from server.doctor.chart import Chart, Seen
from server.doctor.labels import label_advice
from server.errors import BadLabelConfig, StudioRefused
from server.images.url import redacted
from server.studio.api import StudioApi, login_of

_USUAL = (
    "Is samserve running there, and can Label Studio reach it? In a container, localhost is that container. Version "
    "1.23.1 and newer call private addresses only with ML_BLOCK_LOCAL_IP=false SSRF_PROTECTION_ENABLED=false"
)


@dataclass(frozen=True, slots=True)
class Patient:
    """The image that shall become a mask, and what Label Studio knows around it.

    Attributes:
        project, task, backend: as its API tells them; the backend is the one that smart tools call.
    """

    reference: ImageReference
    config: LabelConfig
    project: dict[str, Any]
    task: dict[str, Any]
    backend: dict[str, Any]

    @property
    def shown(self) -> ObjectTag:
        """The image's tag."""
        return next(tag for tag in self.config.objects if tag.kind == "Image")

    @property
    def prompting(self) -> ControlTag:
        """The tool to click with, or else the one for boxes."""
        return _prompting(self.config, self.shown.name)[0]


async def examine_studio(chart: Chart, api: StudioApi, project: int | None, task: int | None) -> Patient:
    """Walks from the host to one task: `task`, or else the first of `project`.

    Raises:
        StepFailed: a step failed.
    """
    await chart.step("token", _token(api))
    chosen = await chart.step("task", _task(api, task) if task is not None else _first_task(api, project or 0))
    number = int(chosen["project"])
    project_told, config = await chart.step("labeling config", _config(api, number))
    backend = await chart.step("connection", _connection(api, number))
    reference = await chart.step("image", _image(chosen, config, login_of(project_told)))
    return Patient(reference, config, project_told, chosen, backend)


async def _token(api: StudioApi) -> Seen[None]:
    return Seen(None, f"{redacted(api.url)} takes LABEL_STUDIO_API_KEY as {await api.user()}")


async def _task(api: StudioApi, number: int) -> Seen[dict[str, Any]]:
    task = await api.task(number)
    return Seen(task, f"task {number} of project {task['project']}")


async def _first_task(api: StudioApi, project: int) -> Seen[dict[str, Any]]:
    tasks = await api.tasks(project, 1)
    if not tasks:
        raise StudioRefused(f"project {project} has no tasks: import an image")
    return Seen(tasks[0], f"task {tasks[0]['id']}, the first of project {project}")


async def _image(task: dict[str, Any], config: LabelConfig, login: Login | None) -> Seen[ImageReference]:
    shown = next(tag for tag in config.objects if tag.kind == "Image")
    value = image_value(task["data"], shown, 0)
    return Seen(ImageReference(value, str(task["id"]), login), f"{shown.value} is {redacted(value)[:80]}")


async def _config(api: StudioApi, project: int) -> Seen[tuple[dict[str, Any], LabelConfig]]:
    found = await api.project(project)
    config = parse_label_config(found["label_config"] or "<View></View>")
    image = next((tag for tag in config.objects if tag.kind == "Image"), None)
    if image is None:
        raise BadLabelConfig(f"the labeling config of project {project} shows no image: run samserve connect")
    smart = _prompting(config, image.name)
    if not smart:
        raise BadLabelConfig(
            f"project {project} has neither a key point nor a rectangle tool to prompt with: run samserve connect"
        )
    answer = config.answer_control(image.name, smart[0].name)
    text = f"{found['title']!r}: {smart[0].name!r} prompts, {answer.kind} {answer.name!r} answers"
    return Seen((found, config), text, label_advice(config, image.name, smart))


def _prompting(config: LabelConfig, image: str) -> list[ControlTag]:
    own = [control for control in config.controls if image in control.to_names and control.smart]
    return [control for kind in ("KeyPoint", "Rectangle") for control in own if control.kind.startswith(kind)]


async def _connection(api: StudioApi, project: int) -> Seen[dict[str, Any]]:
    backends = await api.backends(project)
    if not backends:
        raise StudioRefused(f"no model is connected to project {project}: run samserve connect --project {project}")
    used = next((backend for backend in backends if backend["is_interactive"]), None)
    if used is None:
        raise StudioRefused(
            f"{backends[0]['url']} is connected, but Interactive preannotations is off, so smart tools do not call it"
        )
    if used["error_message"] or used["state"] != "CO":
        told = used["error_message"] or used["readable_state"]
        raise StudioRefused(f"Label Studio cannot use {used['url']}: {told.strip().splitlines()[-1]}. {_USUAL}")
    several = sum(bool(backend["is_interactive"]) for backend in backends) > 1
    others = "to have another called, remove it or switch off its Interactive preannotations"
    advice = f"smart tools call only this one, the first of several interactive ones; {others}" if several else ""
    return Seen(used, f"smart tools call {redacted(used['url'])} ({used['model_version']})", advice)
