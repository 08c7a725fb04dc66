"""The command `samserve doctor`."""

import asyncio
import os
import sys
from contextlib import suppress
from functools import partial
from typing import Any

import click
import msgspec

from server.app import load_model
from server.core.reference import ImageReference
from server.doctor.chart import Chart, Finding, StepFailed
from server.doctor.click import examine_click
from server.doctor.image import ImageWay, examine_image
from server.doctor.model import examine_model
from server.doctor.studio import Patient, examine_studio
from server.doctor.surroundings import container_trap, is_in_container, proxy_trap
from server.engine import image_sources, studio_api
from server.environment import read_settings
from server.images.decode import decode_image
from server.logs import set_up_logs
from server.settings import Settings
from server.studio.api import StudioApi
from server.studio.served import Served

_MARKS = {"ok": ("ok", "green"), "warning": ("!!", "yellow"), "failed": ("FAILED", "red")}


@click.command("doctor")
@click.option("--project", type=int, help="Examine this project of Label Studio's, with its first task.")
@click.option("--task", type=int, help="Examine this task.")
@click.option("--image", help="Examine this image alone, spelled as a task would.")
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
def doctor_command(project: int | None, task: int | None, image: str | None, *, as_json: bool) -> None:
    """Walk from Label Studio to a mask, and say what is wrong and what to do.

    Ends with a click through Label Studio and the running server, which stores nothing. Reads the same environment as
    samserve serve. Exit status 1 when a step fails.
    """
    settings = read_settings(os.environ)
    if (project or task) and not settings.knows_label_studio:
        raise click.UsageError("--project and --task need LABEL_STUDIO_URL and LABEL_STUDIO_API_KEY")
    set_up_logs(debug=False)
    chart = Chart(lambda finding: None if as_json else show(finding))
    asyncio.run(examine(chart, settings, project, task, image))
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(chart.findings)))
    sys.exit(0 if chart.is_healthy else 1)


async def examine(
    chart: Chart, settings: Settings, project: int | None, task: int | None = None, image: str | None = None
) -> None:
    """Examines as far as it gets: the model, then the image alone or the one of a project or task."""
    if trap := proxy_trap(os.environ, settings.label_studio_url):
        chart.note(trap)
    with suppress(StepFailed):
        model = await chart.step("model", examine_model(partial(load_model, settings)))
        way = ImageWay(image_sources(settings), partial(decode_image, max_pixels=settings.max_pixels), model)
        if image:
            await examine_image(chart, way, ImageReference(image, "none"), None)
        elif project or task:
            await _examine_task(chart, settings, way, project, task)


async def _examine_task(chart: Chart, settings: Settings, way: ImageWay, project: int | None, task: int | None) -> None:
    api = studio_api(settings)
    try:
        patient = await _patient(chart, settings, api, project, task)
        size = await examine_image(chart, way, patient.reference, patient.config)
        await examine_click(chart, api, patient, size, partial(served_by, settings))
    finally:
        await api.close()


async def _patient(chart: Chart, settings: Settings, api: StudioApi, project: int | None, task: int | None) -> Patient:
    try:
        return await examine_studio(chart, api, project, task)
    except StepFailed:
        trap = container_trap(settings.label_studio_url, in_container=is_in_container())
        if trap and "cannot be reached" in chart.findings[-1].seen:
            chart.note(trap)
        raise


def served_by(settings: Settings, backend: dict[str, Any]) -> Served:
    """The connected server; our password goes only where Label Studio sends that user's."""
    if settings.basic_auth_user and backend.get("basic_auth_user") == settings.basic_auth_user:
        return Served(backend["url"], settings.basic_auth_user, settings.basic_auth_pass)
    return Served(backend["url"])


def show(finding: Finding) -> None:
    """Prints a finding as a line, and its advice as another."""
    mark, colour = _MARKS[finding.state]
    click.echo(f"{click.style(f'{mark:6}', fg=colour)} {finding.step:15} {finding.seen}  ({finding.ms:,.0f} ms)")
    if finding.advice:
        click.echo(f"{'':22} -> {finding.advice}")
