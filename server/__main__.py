"""`python -m server` is the command `samserve`."""

from server.cli import main

main()
