"""Setting up Label Studio through its API; for the command line, not for clicks."""
