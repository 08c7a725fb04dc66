"""Checkpoints as files, and the command as a user types it."""

from pathlib import Path

import pytest
import torch
from click.testing import CliRunner, Result

from exporters.cli import export_command


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that samserve keeps everything in."""
    monkeypatch.setenv("SAMSERVE_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


def exported(*words: str | Path) -> Result:
    """What `samserve export` answers."""
    return CliRunner().invoke(export_command, [str(word) for word in words])


def saved(path: Path, content: object) -> Path:
    """The path, with the content as torch saves it."""
    torch.save(content, path)
    return path
