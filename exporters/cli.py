"""The command `samserve export`; torch is imported when it runs, so that its help needs none."""

import os
from pathlib import Path

import click

from exporters.names import FAMILIES, PRECISIONS
from server.environment import read_settings
from server.weights.store import GraphStore


@click.command("export")
@click.option("--family", type=click.Choice(list(FAMILIES)), required=True, help="Whose code the checkpoint is for.")
@click.option(
    "--checkpoint",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    required=True,
    help="The file with the weights, as published or fine-tuned.",
)
@click.option("--name", help="What the model is called; by default after its architecture.")
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    help="A folder for the graphs; by default where the server looks for models.",
)
@click.option("--precision", type=click.Choice(PRECISIONS), default="fp32", show_default=True, help="Of the encoder.")
def export_command(family: str, checkpoint: Path, name: str | None, output: Path | None, precision: str) -> None:
    """Make a model of a checkpoint; needs torch: make export ARGS="..." in a clone brings it.

    Its graphs are compared with torch on pictures and prompts of every kind. Nothing is written where they differ.
    """
    settings = read_settings(os.environ)
    store = GraphStore(settings.cache_path / "weights")
    try:
        from exporters.export import Request, export  # noqa: PLC0415 - with torch

        request = Request(family, checkpoint, name, output, precision, settings.cores)
        manifest, folder = export(request, store, lambda stage: click.echo(f"{checkpoint.name}: {stage} ...", err=True))
    except ModuleNotFoundError as error:
        raise click.ClickException(
            f'{error.name} is not installed; in a clone of samserve run: make export ARGS="--family {family} ..."'
        ) from error
    click.echo(f"{manifest.version} is in {folder}")
    if not output:
        click.echo(f"To serve it: SAMSERVE_MODEL={manifest.name} make serve", err=True)
