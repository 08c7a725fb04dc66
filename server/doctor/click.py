"""Does a click go through Label Studio and the running server, and come back as a mask?"""

from collections.abc import Callable
from typing import Any

from server.core.geometry import ImageSize
from server.core.labelconfig import ControlTag, ObjectTag
from server.doctor.chart import Chart, Seen
from server.doctor.studio import Patient
from server.errors import ServerRefused, ServerUnreachable, StudioRefused
from server.images.url import redacted
from server.studio.api import StudioApi
from server.studio.served import Served

AskDirectly = Callable[[dict[str, Any]], Served]


async def examine_click(
    chart: Chart, api: StudioApi, patient: Patient, size: ImageSize, directly: AskDirectly | None = None
) -> None:
    """Clicks on the middle of the task's image as the editor does; nothing is stored.

    A click that fails is sent once more to the connected server `directly`, for its reason.

    Raises:
        StepFailed: no answer came.
    """
    await chart.step("click", _click(api, patient, size, directly))


async def _click(api: StudioApi, patient: Patient, size: ImageSize, directly: AskDirectly | None) -> Seen[None]:
    context = {"result": [_drawn(patient.prompting, patient.shown, size)]}
    url = redacted(patient.backend["url"])
    try:
        regions = await api.click(patient.backend["id"], patient.task["id"], context)
    except StudioRefused as error:
        hidden = await _reason(patient, context, directly, api.url) if directly else ""
        raise StudioRefused(f"a click through Label Studio gets no answer: {error}{hidden}", error.status) from None
    text = f"through Label Studio, {url} answers {len(regions)} region{'' if len(regions) == 1 else 's'}"
    advice = "" if regions else "it found nothing in the middle of this image: that may well be right, so try another"
    return Seen(None, text, advice)


async def _reason(patient: Patient, context: dict[str, Any], directly: AskDirectly, studio_url: str) -> str:
    try:
        await directly(patient.backend).click(patient.project, patient.task, context)
    except ServerRefused as error:
        return f". Asked directly, it says: {error}{_way_out(str(error), studio_url)}"
    except ServerUnreachable as error:
        return f". Asked directly from here: {error}"
    return ". Asked directly from here, it answers: look at what is between Label Studio and samserve"


def _way_out(told: str, studio_url: str) -> str:
    """This command got the image with its own environment, so the server has another."""
    if "LABEL_STUDIO" not in told:
        return ""
    return (
        ". This command has them, the running server does not: restart samserve with "
        f"LABEL_STUDIO_URL={redacted(studio_url)} and LABEL_STUDIO_API_KEY set"
    )


def _drawn(control: ControlTag, shown: ObjectTag, size: ImageSize) -> dict[str, Any]:
    kind = control.kind.lower()
    value: dict[str, Any] = {"x": 50, "y": 50, "width": 0.25}
    if kind.startswith("rectangle"):
        value = {"x": 25, "y": 25, "width": 50, "height": 50, "rotation": 0}
    if control.labels:
        value[kind] = [control.labels[0]]
    item: dict[str, Any] = {"id": "doctor", "from_name": control.name, "to_name": shown.name, "type": kind}
    item |= {"value": value, "item_index": 0} if shown.is_list else {"value": value}
    return item | {
        "original_width": size.width,
        "original_height": size.height,
        "image_rotation": 0,
        "origin": "manual",
    }
