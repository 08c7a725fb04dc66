"""The command `samserve connect`."""

import asyncio
import os
import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import msgspec

from server.core.options import parse_extra_params
from server.doctor.chart import Chart
from server.doctor_cli import examine, show
from server.engine import studio_api
from server.environment import read_settings
from server.errors import BadOptions, SamserveError, StudioRefused
from server.settings import Settings
from server.studio.api import StudioApi
from server.studio.connect import Ask, Connection, connect
from server.studio.create import check, create, recommended, upload
from server.studio.served import Served

_IMAGES = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif"}  # what Label Studio takes as uploads and the editor shows


@click.command("connect")
@click.option("--project", type=int, help="The number of an existing project, as in its address.")
@click.option("--create", "title", help="Make a project of this title instead.")
@click.option(
    "--images", type=click.Path(exists=True, path_type=Path), multiple=True, help="Folder or file to upload into it."
)
@click.option("--url", help="Where Label Studio reaches samserve.  [http://localhost:PORT]")
@click.option("--options", metavar="JSON", help='Answer options, such as \'{"output": "polygon"}\'.')
@click.option("--yes", is_flag=True, help="Change the labeling config, and replace a dead connection, without asking.")
def connect_command(
    project: int | None, title: str | None, images: tuple[Path, ...], url: str | None, options: str | None, *, yes: bool
) -> None:
    """Connect a Label Studio project with samserve.

    Needs LABEL_STUDIO_URL and LABEL_STUDIO_API_KEY. Doing it again changes nothing that is right already. Ends with
    samserve doctor; exit status 1 when a step of that fails.
    """
    if (project is None) == (title is None):
        raise click.UsageError("give --project NUMBER or --create TITLE")
    if images and not title:
        raise click.UsageError("--images goes with --create")
    settings = read_settings(os.environ)
    connection = Connection(
        url=url or f"http://localhost:{settings.port}{settings.base_path}",
        user=settings.basic_auth_user,
        password=settings.basic_auth_pass,
        extra_params=_options(options) if options else None,
    )
    wanted = _Wanted(project, title or "", _files(images), connection)
    is_well = asyncio.run(_run(settings, wanted, lambda question: yes or click.confirm(question)))
    sys.exit(0 if is_well else 1)


@dataclass(frozen=True, slots=True)
class _Wanted:
    project: int | None
    title: str
    images: list[Path]
    connection: Connection


async def _run(settings: Settings, wanted: _Wanted, ask: Ask) -> bool:
    """Whether the check of what was made went well."""
    api = studio_api(settings)
    served = Served(wanted.connection.url, wanted.connection.user, wanted.connection.password)
    try:
        click.echo(f"Label Studio at {api.url}, as {await api.user()}")
        if wanted.project is not None:
            await connect(api, served, wanted.project, wanted.connection, click.echo, ask)
            return await _check(settings, api, wanted.project)
        await check(api, served, wanted.connection, ask)
        number = await create(api, wanted.title, recommended(wanted.connection), click.echo)
        try:
            await upload(api, number, wanted.images, click.echo)
            await connect(api, served, number, wanted.connection, click.echo, ask)
        except SamserveError as error:
            raise StudioRefused(f"{error}\n{_go_on(number, wanted.connection)}") from None
        is_well = await _check(settings, api, number)
        if not is_well:
            click.echo(_go_on(number, wanted.connection))
        return is_well
    finally:
        await api.close()


def _go_on(project: int, connection: Connection) -> str:
    given = connection.extra_params
    options = [] if given is None else ["--options", msgspec.json.encode(given).decode()]
    again = ["samserve", "connect", "--project", str(project), "--url", connection.url, *options]
    return f"Project {project} is there: go on with: {shlex.join(again)}"


async def _check(settings: Settings, api: StudioApi, project: int) -> bool:
    chart = Chart(show)
    if await api.tasks(project, 1):
        await examine(chart, settings, project)
    else:
        click.echo(f"There are no tasks yet: import images, then check with samserve doctor --project {project}")
    if chart.is_healthy:
        click.echo(f"Open {settings.label_studio_url.rstrip('/')}/projects/{project}/data")
    return chart.is_healthy


def _options(text: str) -> dict[str, Any]:
    try:
        given = msgspec.json.decode(text, type=dict[str, Any])
    except msgspec.MsgspecError as error:
        raise BadOptions(f'--options: expected a JSON object such as {{"output": "polygon"}}: {error}') from None
    parse_extra_params(given)
    return given


def _files(images: Sequence[Path]) -> list[Path]:
    found = [path for given in images for path in ([given] if given.is_file() else sorted(given.iterdir()))]
    usable = [path for path in found if path.suffix.lower() in _IMAGES]
    if images and not usable:
        raise click.UsageError(f"no images in {', '.join(map(str, images))} ({', '.join(sorted(_IMAGES))})")
    return usable
