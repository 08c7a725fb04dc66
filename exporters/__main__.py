"""`python -m exporters`: the command `samserve export` without samserve installed."""

import sys

from exporters.cli import export_command
from server.command_group import CommandGroup

samserve = CommandGroup(commands={"export": export_command})
samserve(["export", *sys.argv[1:]], prog_name="samserve")
