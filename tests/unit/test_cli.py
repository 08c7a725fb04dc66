"""The command, as a user types it."""

import os
import socket
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from server.cli import main
from server.models.manifest import Manifest
from tests.graphs import tiny_model


@pytest.fixture
def graphs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the graphs of the only model there is."""
    folder = tmp_path / "graphs"
    folder.mkdir()
    manifest = tiny_model(folder)
    monkeypatch.setattr("server.cli.known_models", lambda exports: [manifest])
    monkeypatch.setattr("server.cli.find_manifest", lambda name, exports: _only(manifest, name))
    for variable in [name for name in os.environ if name.startswith("SAMSERVE_")]:
        monkeypatch.delenv(variable)
    monkeypatch.setenv("SAMSERVE_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("SAMSERVE_MODEL", "tiny")
    monkeypatch.setattr("server.cli.set_up_logs", lambda debug: None)  # it would hold for all tests that follow
    return folder


def _only(manifest: Manifest, name: str) -> Manifest:
    assert name == manifest.name
    return manifest


def run(*words: str) -> Result:
    return CliRunner().invoke(main, words)


def test_a_model_is_listed_pulled_and_verified(graphs: Path, tmp_path: Path) -> None:
    assert "not pulled" in run("weights", "list").output
    missing = run("weights", "verify")
    assert (missing.exit_code, missing.output.count("missing")) == (1, 2)
    pulled = run("weights", "pull", "tiny", "--from", str(graphs))
    assert pulled.exit_code == 0, pulled.output
    assert str(tmp_path / "cache" / "weights" / "tiny") in pulled.output
    assert "ready" in run("weights", "list").output
    whole = run("weights", "verify", "tiny")
    assert (whole.exit_code, whole.output.count("ok")) == (0, 2)


def test_a_damaged_graph_is_told_and_pulled_again(graphs: Path, tmp_path: Path) -> None:
    run("weights", "pull", "--from", str(graphs))
    (tmp_path / "cache" / "weights" / "tiny" / "decoder.onnx").write_bytes(b"broken")
    assert "damaged" in run("weights", "verify").output
    assert run("weights", "pull", "--from", str(graphs)).exit_code == 0
    assert run("weights", "verify").exit_code == 0


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("SAMSERVE_PRT", "1", "did you mean SAMSERVE_PORT?"),
        ("SAMSERVE_PORT", "many", "SAMSERVE_PORT: "),
        ("LABEL_STUDIO_URL", "studio:8080", "must start with http"),
    ],
)
def test_a_wrong_setting_is_one_line_and_no_traceback(
    graphs: Path, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, words: str
) -> None:
    monkeypatch.setenv(variable, value)
    result = run("serve")
    assert result.exit_code == 1
    assert words in result.output
    assert result.output.count("\n") == 1


def test_a_model_without_a_source_is_told_how_to_get_there(graphs: Path) -> None:
    result = run("weights", "pull")
    assert result.exit_code == 1
    assert "samserve weights pull tiny --from FOLDER" in result.output


def test_a_taken_port_is_told_before_anything_is_fetched(graphs: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        result = run("serve", "--host", "127.0.0.1", "--port", str(taken.getsockname()[1]))
    assert result.exit_code == 1
    assert "choose another --port" in result.output
    assert "not pulled" in run("weights", "list").output
