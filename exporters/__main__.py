"""`python -m exporters`: the command `samserve export` without samserve installed."""

from exporters.cli import export_command

export_command(prog_name="samserve export")
