"""Checkpoints as files, and the command as a user types it."""

from pathlib import Path

import pytest
import torch
from click.testing import CliRunner, Result

from exporters.cli import export_command

torch.set_num_threads(1)  # several would wait for one another wherever the cores are busy


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that samserve keeps everything in."""
    monkeypatch.setenv("SAMSERVE_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def with_specks(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server's masks as the packages leave theirs; those of random weights are full of specks."""
    monkeypatch.setattr("server.models.outcome.without_specks", lambda logits: logits)


def exported(*words: str | Path) -> Result:
    """What `samserve export` answers."""
    return CliRunner().invoke(export_command, [str(word) for word in words])


def saved(path: Path, content: object) -> Path:
    """The path, with the content as torch saves it."""
    torch.save(content, path)
    return path
