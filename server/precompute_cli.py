"""The command `samserve precompute`."""

import asyncio
import os
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import click
import msgspec

from server import estimate, status
from server.app import load_model
from server.engine import Engine
from server.environment import read_settings
from server.errors import BadSettings
from server.images.files import FileImages, find_images
from server.listings import export_listing, files_listing, project_listing
from server.logs import set_up_logs
from server.progress import Progress
from server.runtime.model import SamModel
from server.service.backlog import Backlog
from server.service.crawl import Crawl, Listing, Tally
from server.service.precompute import Precompute
from server.settings import Settings

_INTERRUPTED = 130  # as a shell reports SIGINT
_MEMORY_MIB = 16  # nobody asks for an embedding again
_NICENESS = 10  # a tenth of what a server's threads get of a core that they want as well
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


class _Asked(msgspec.Struct, frozen=True):
    """The command line."""

    project: int | None
    images: str | None
    export: Path | None
    label_config: Path | None
    dry_run: bool
    status: bool
    url: str | None


@click.command("precompute")
@click.option("--project", type=int, help="The number of a Label Studio project, as in its address.")
@click.option(
    "--images",
    metavar="DIR|GLOB",
    help="Image files: all below a folder, or those that a quoted pattern matches. Embeddings are found by the image's "
    "bytes, so a server has them whatever URL it gets the same bytes from.",
)
@click.option("--export", type=_FILE, help="A JSON export of Label Studio's.")
@click.option(
    "--label-config",
    type=_FILE,
    help="The labeling config (XML) of the export. Without it, whatever looks like an image is one: a data:image/ URI, "
    "an upload's path, a URL or path that ends like an image file's name.",
)
@click.option("--dry-run", is_flag=True, help="Only say how many images, how long, and how much disk.")
@click.option("--status", is_flag=True, help="Only say where the background work of a running server stands.")
@click.option("--url", help="The running server, for --status.  [http://localhost:PORT]")
def precompute_command(**options: Any) -> None:
    """Encode all images of a project in advance, for clicks that need no encode.

    Encodes only what is not on disk yet, so that it may be interrupted and run again, also beside a running server
    with the same settings. Exit status 1 when an image failed, 130 when interrupted.
    """
    asked, settings = _Asked(**options), read_settings(os.environ)
    if asked.status:
        _show_status(settings, asked.url or f"http://localhost:{settings.port}{settings.base_path}")
        return
    if sum(each is not None for each in (asked.project, asked.images, asked.export)) != 1:
        raise click.UsageError("give one of --project NUMBER, --images DIR|GLOB, --export FILE, or --status")
    if asked.label_config and not asked.export:
        raise click.UsageError("--label-config goes with --export")
    if settings.embedding_disk_gib == 0:
        raise BadSettings("SAMSERVE_EMBEDDING_DISK_GIB is 0: there is no place to keep embeddings for a server")
    set_up_logs(debug=False, quiet=True)
    _step_back()
    try:
        sys.exit(asyncio.run(_run(settings, asked)))
    except KeyboardInterrupt:
        click.echo("Interrupted. What is encoded is kept: run it again to go on.")
        sys.exit(_INTERRUPTED)


def _step_back() -> None:
    """Lets clicks on a running server go first; threads that are started from here on do the same."""
    if hasattr(os, "setpriority"):  # not on Windows
        os.setpriority(os.PRIO_PROCESS, 0, max(_NICENESS, os.getpriority(os.PRIO_PROCESS, 0)))


async def _run(settings: Settings, asked: _Asked) -> int:
    paths = find_images(asked.images) if asked.images else []
    exported = export_listing(asked.export, asked.label_config) if asked.export else None
    model = load_model(settings)
    frugal = msgspec.structs.replace(settings, embedding_memory_mib=_MEMORY_MIB)
    engine = Engine(frugal, model, FileImages(settings.max_image_mib << 20) if paths else None)
    async with engine.running():
        if asked.project is not None:
            listing = await project_listing(settings, asked.project, engine.tasks, _tell)
        else:
            listing = exported or files_listing(paths)
        if asked.dry_run:
            return await _estimate(settings, engine, model, listing)
        return await _crawl(engine, listing)


def _tell(text: str) -> None:
    click.echo(f"\r\x1b[K{text}" if sys.stderr.isatty() else text, err=True)  # in the place of a progress line


async def _estimate(settings: Settings, engine: Engine, model: SamModel, listing: Listing) -> int:
    images, first = await estimate.count(listing)
    samples = await estimate.take_samples(engine, model, first)
    folder = settings.cache_path / "embeddings"
    for line in estimate.describe(images, samples, folder, settings.embedding_disk_gib):
        click.echo(line)
    return 0


async def _crawl(engine: Engine, listing: Listing) -> int:
    tally, progress = Tally(), Progress(listing.noun, listing.total, sys.stderr)
    precompute = Precompute(engine.embedder, Backlog(0), lambda _: None, engine.encodes_at_once)
    crawl = Crawl(precompute, tally, lambda: progress.show(tally.items, tally.failed))
    started = time.monotonic()
    try:
        await crawl.run(listing.items)
    finally:  # also when it is interrupted, or Label Studio is gone
        progress.clear()
        took = timedelta(seconds=round(time.monotonic() - started))
        click.echo(f"{tally.items:,} of {listing.total:,} {listing.noun} in {took}: {_counts(tally)}")
        _list_failures(tally)
    lost = sum(tier.failures + tier.dropped_writes for tier in engine.cache.tiers())
    if lost:
        click.echo(f"{lost:,} embeddings could not be written; a warning above says why")
    return 1 if tally.failed or lost else 0


def _counts(tally: Tally) -> str:
    bare = f"; {tally.bare:,} {'has' if tally.bare == 1 else 'have'} no image" if tally.bare else ""
    return f"{tally.encoded:,} images encoded, {tally.kept:,} already there, {tally.failed:,} failed{bare}"


def _list_failures(tally: Tally) -> None:
    for task, reason in tally.failures:
        click.echo(f"  {task}: {reason.removeprefix(f'task {task}: ')}")
    if tally.failed > len(tally.failures):
        click.echo(f"  ... and {tally.failed - len(tally.failures):,} more")


def _show_status(settings: Settings, url: str) -> None:
    for line in status.describe(status.ask(url.rstrip("/"), settings.basic_auth_user, settings.basic_auth_pass)):
        click.echo(line)
