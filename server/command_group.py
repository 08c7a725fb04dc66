"""A group of commands: errors in one line, and commands that other packages bring."""

from importlib.metadata import EntryPoints, entry_points
from typing import Any

import click

from server.errors import SamserveError


class CommandGroup(click.Group):
    """Shows a SamserveError as one line and exit status 1, never as a traceback.

    Commands of the package's other halves are entry points, imported only when they are asked for.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All names, in order."""
        return sorted([*super().list_commands(ctx), *_elsewhere().names])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a name; one of an entry point is imported now."""
        found = super().get_command(ctx, cmd_name)
        if found or cmd_name not in _elsewhere().names:
            return found
        command: click.Command = _elsewhere()[cmd_name].load()
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Runs what was asked for."""
        try:
            return super().invoke(ctx)
        except SamserveError as error:
            raise click.ClickException(str(error)) from error


def _elsewhere() -> EntryPoints:
    return entry_points(group="samserve.commands")
