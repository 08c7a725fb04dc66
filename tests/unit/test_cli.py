"""The command, as a user types it."""

import os
import shutil
import socket
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result

from server.cli import main
from server.models.manifest import Agreement, Export, Manifest, Parity
from server.weights.store import sha256_of
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
    assert pulled.output.endswith(f"{tmp_path / 'cache' / 'weights' / 'tiny'}\n")
    assert "already; " in run("weights", "pull", "tiny", "--from", str(graphs)).output
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


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Callable[[], Result]:
    """Starts a server that ends before it takes requests."""
    monkeypatch.setattr("server.cli.uvicorn.Server.run", lambda server, sockets: [each.close() for each in sockets])
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    return lambda: run("serve", "--host", "127.0.0.1", "--port", str(port))


def test_a_start_reads_each_graph_once_to_verify_it(
    graphs: Path, serve: Callable[[], Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    run("weights", "pull", "--from", str(graphs))
    hashed: list[str] = []

    def recorded(path: Path) -> str:
        hashed.append(path.name)
        return sha256_of(path)

    monkeypatch.setattr("server.weights.store.sha256_of", recorded)
    result = serve()
    assert result.exit_code == 0, result.output
    assert sorted(hashed) == ["decoder.onnx", "encoder.onnx"]


def test_a_start_welcomes_first_and_logs_what_serves_after_it(
    graphs: Path, serve: Callable[[], Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SAMSERVE_DECODER", "stock")
    run("weights", "pull", "--from", str(graphs))
    welcome, logged = serve().output.split("model_loaded")
    assert welcome.strip().splitlines()[0].startswith("samserve ")
    assert logged.count("stock") == 2


def as_export(manifest: Manifest) -> Manifest:
    parity = Parity(3, 6, 1e-6, Agreement(0.9999, 1e-6, 1e-7), None)
    return msgspec.structs.replace(manifest, export=Export("tuned.pth", "0" * 64, 17, "fp32", "2.14.1", parity))


def test_an_exported_model_is_listed_with_its_checkpoint_and_is_never_pulled(
    graphs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = as_export(tiny_model(graphs))
    monkeypatch.setattr("server.cli.known_models", lambda exports: [manifest])
    monkeypatch.setattr("server.cli.find_manifest", lambda name, exports: manifest)
    assert "damaged" in run("weights", "list").output
    result = run("weights", "pull")
    assert result.exit_code == 1
    assert "run samserve export on tuned.pth again" in result.output
    shutil.copytree(graphs, tmp_path / "cache" / "weights" / "tiny")
    listed = run("weights", "list").output
    assert "ready" in listed
    assert "exported from tuned.pth" in listed


def test_the_export_command_says_what_it_takes_without_torch() -> None:
    assert "export" in run("--help").output
    assert "--checkpoint" in run("export", "--help").output


def test_without_torch_an_export_ends_in_one_line_that_says_what_brings_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)  # as if it were not there, wherever this runs
    monkeypatch.delitem(sys.modules, "exporters.export", raising=False)
    (tmp_path / "sam.pth").write_bytes(b"")
    result = run("export", "--family", "sam", "--checkpoint", str(tmp_path / "sam.pth"))
    assert result.exit_code == 1
    assert result.output.startswith('Error: torch is not installed; in a clone of samserve run: make export ARGS="--')
    assert result.output.count("\n") == 1


def test_a_model_that_is_not_here_is_answered_with_how_to_get_one(tmp_path: Path) -> None:
    result = run("weights", "pull", "sam_vit_b")
    assert "there are mobile_sam (samserve weights list); docs/export.md says how to make one" in result.output


def test_a_command_that_does_not_exist_is_told() -> None:
    assert "No such command 'exprt'" in run("exprt").output
