"""The command `samserve`."""

import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import click
import structlog
import uvicorn

from server import __version__
from server.app import create_app, load_verified
from server.command_group import CommandGroup
from server.connect_cli import connect_command
from server.doctor_cli import doctor_command
from server.environment import read_settings
from server.errors import BadSettings, ModelUnusable
from server.logs import set_up_logs
from server.models.manifest import Manifest
from server.precompute_cli import precompute_command
from server.settings import Settings
from server.weights.built import built_decoder, built_encoder, is_buildable
from server.weights.pull import pull
from server.weights.sources import Progress, describe, parse_source
from server.weights.store import GraphStore, find_manifest, known_models
from server.welcome import welcome

log = structlog.get_logger("samserve.cli")


@click.group(cls=CommandGroup)
@click.version_option(__version__)
def main() -> None:
    """Segment Anything for Label Studio's smart tools."""


@main.command()
@click.option("--host", help="Address to listen on.  [SAMSERVE_HOST, 0.0.0.0]")
@click.option("--port", type=int, help="Port to listen on.  [SAMSERVE_PORT, 9090]")
@click.option("--debug", is_flag=True, help="Log in detail.")
def serve(host: str | None, port: int | None, debug: bool) -> None:
    """Serve a model; its weights are fetched first if they are not here."""
    settings = read_settings(os.environ, host=host, port=port)
    set_up_logs(debug=debug)
    listener = _bind(settings)
    manifest = _manifest(settings, None)
    _pull(manifest, settings, None)
    model = load_verified(manifest, settings)
    click.echo(welcome(settings, model.version), err=True)
    log.info("model_loaded", model=model.version, encoder=model.encoder, decoder=model.decoder, nodes=model.nodes)
    config = uvicorn.Config(
        create_app(settings, model),
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=10,
    )
    with suppress(KeyboardInterrupt):  # which uvicorn raises again once it has shut down
        uvicorn.Server(config).run(sockets=[listener])


main.add_command(connect_command)
main.add_command(doctor_command)
main.add_command(precompute_command)


@main.group()
def weights() -> None:
    """The models' graphs on this machine."""


@weights.command("list")
def list_models() -> None:
    """All models, and whether their graphs are here."""
    store = _store(read_settings(os.environ))
    for manifest in known_models(store.root):
        absent = "damaged" if manifest.export else "not pulled"
        state = "ready" if store.is_whole(manifest) else absent
        origin = f", exported from {manifest.export.checkpoint}" if manifest.export else ""
        size = f"{_mib(manifest):7.1f} MiB"
        click.echo(f"{manifest.name:20} {state:11} {size}  {manifest.title}, {manifest.license}{origin}")


@weights.command("pull")
@click.argument("name", required=False)
@click.option(
    "--from", "source", metavar="URL|FOLDER|TGZ", help="Where the graphs are, instead of where the manifest says."
)
def pull_model(name: str | None, source: str | None) -> None:
    """Fetch a model's graphs, and verify them."""
    settings = read_settings(os.environ)
    manifest = _manifest(settings, name)
    is_new = _pull(manifest, settings, source)
    _build(manifest, settings)
    unread = " already; nothing was read" if source and not is_new else ""
    click.echo(f"{manifest.version} is in {_store(settings).folder(manifest)}{unread}")


@weights.command()
@click.argument("name", required=False)
def verify(name: str | None) -> None:
    """Compare a model's graphs with its manifest; exit status 1 when they differ."""
    settings = read_settings(os.environ)
    manifest, store = _manifest(settings, name), _store(settings)
    problems = [store.problem(manifest, file) for file in manifest.files]
    for file, problem in zip(manifest.files, problems, strict=True):
        click.echo(f"{store.folder(manifest) / file.file}: {problem or 'ok'}")
    if any(problems):
        sys.exit(1)


def _bind(settings: Settings) -> socket.socket:
    """The port, tried before anything slow happens; nobody can connect until the server listens on it."""
    listener = socket.socket(socket.AF_INET6 if ":" in settings.host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
    except OSError as error:
        listener.close()
        raise BadSettings(
            f"cannot listen on {settings.host}:{settings.port} ({error.strerror}); choose another --port"
        ) from error
    return listener


def _pull(manifest: Manifest, settings: Settings, source: str | None) -> bool:
    """Whether something was missing here."""
    sources = [parse_source(source)] if source else manifest.sources
    with _progress(f"Fetching {manifest.title}") as progress:
        used = pull(manifest, _store(settings), sources, progress)
    if used:
        click.echo(f"Fetched and verified {manifest.title} from {describe(used)} ({manifest.license})", err=True)
    return used is not None


def _build(manifest: Manifest, settings: Settings) -> None:
    """The graphs that samserve builds itself; without them a model is served all the same."""
    try:
        if settings.encoder != "stock":
            built_encoder(manifest, _store(settings), int8=settings.encoder == "int8")
        if settings.decoder == "fast" and is_buildable(manifest):
            built_decoder(manifest, _store(settings))
    except (ModelUnusable, OSError) as error:
        click.echo(f"{manifest.title} will be served with its stock graphs: {error}", err=True)


@contextmanager
def _progress(label: str) -> Iterator[Progress]:
    """A bar on stderr that appears with the first byte."""
    bars: list[Any] = []

    def advance(so_far: int, total: int) -> None:
        if not bars:
            bars.append(click.progressbar(length=total, label=label, file=sys.stderr).__enter__())
        bars[0].length = total  # another source may have another archive
        bars[0].update(so_far - bars[0].pos)

    try:
        yield advance
    finally:
        for bar in bars:
            bar.render_finish()


def _manifest(settings: Settings, name: str | None) -> Manifest:
    return find_manifest(name or settings.model, _store(settings).root)


def _store(settings: Settings) -> GraphStore:
    return GraphStore(settings.cache_path / "weights")


def _mib(manifest: Manifest) -> float:
    return sum(file.bytes for file in manifest.files) / (1 << 20)
