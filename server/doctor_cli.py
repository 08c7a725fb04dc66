"""The command `samserve doctor`."""

import asyncio
import os
import sys
from contextlib import suppress
from functools import partial

import click
import msgspec

from server.app import load_model
from server.core.reference import ImageReference
from server.doctor.chart import Chart, Finding, StepFailed
from server.doctor.image import ImageWay, examine_image
from server.doctor.model import examine_model
from server.doctor.studio import Patient, examine_studio
from server.doctor.surroundings import container_trap, is_in_container, proxy_trap
from server.engine import image_sources, studio_api
from server.environment import read_settings
from server.images.decode import decode_image
from server.logs import set_up_logs
from server.settings import Settings

_MARKS = {"ok": ("ok", "green"), "warning": ("!!", "yellow"), "failed": ("FAILED", "red")}


@click.command("doctor")
@click.option("--project", type=int, help="Examine this project of Label Studio's, with its first task.")
@click.option("--task", type=int, help="Examine this task.")
@click.option("--image", help="Examine this image alone, spelled as a task would.")
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
def doctor_command(project: int | None, task: int | None, image: str | None, *, as_json: bool) -> None:
    """Walk from Label Studio to a mask, and say what is wrong and what to do.

    Reads the same environment as samserve serve. Exit status 1 when a step fails.
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
        patient = await _patient(chart, settings, project, task) if project or task else None
        reference = ImageReference(image, "none") if image else patient and patient.reference
        if reference:
            way = ImageWay(image_sources(settings), partial(decode_image, max_pixels=settings.max_pixels), model)
            await examine_image(chart, way, reference, patient.config if patient else None)


async def _patient(chart: Chart, settings: Settings, project: int | None, task: int | None) -> Patient:
    api = studio_api(settings)
    try:
        return await examine_studio(chart, api, project, task)
    except StepFailed:
        trap = container_trap(settings.label_studio_url, in_container=is_in_container())
        if trap and "cannot be reached" in chart.findings[-1].seen:
            chart.note(trap)
        raise
    finally:
        await api.close()


def show(finding: Finding) -> None:
    """Prints a finding as a line, and its advice as another."""
    mark, colour = _MARKS[finding.state]
    click.echo(f"{click.style(f'{mark:6}', fg=colour)} {finding.step:15} {finding.seen}  ({finding.ms:,.0f} ms)")
    if finding.advice:
        click.echo(f"{'':22} -> {finding.advice}")
