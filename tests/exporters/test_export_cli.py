"""What is refused is refused in one line, and leaves nothing behind."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from exporters.checkpoint import read_checkpoint
from exporters.parity import LIMITS, ExportLimits
from server.errors import ModelUnusable
from tests.exporters.conftest import exported, saved
from tests.exporters.small_sam import small_sam

REPOSITORY = Path(__file__).parents[2]


def refusal(checkpoint: Path, *words: str | Path) -> str:
    """The message that ends an export."""
    result = exported("--family", "sam", "--checkpoint", checkpoint, *words)
    assert isinstance(result.exception, ModelUnusable), result.output
    return str(result.exception)


def below(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*")) if folder.exists() else []


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is no checkpoint that torch.save wrote"),
        (b"PK\x03\x04 not a zip", "is no checkpoint that torch.save wrote"),
        (b"<html>404</html>", "is no checkpoint that torch.save wrote"),
    ],
)
def test_a_file_that_is_no_checkpoint_is_refused(cache: Path, tmp_path: Path, content: bytes, reason: str) -> None:
    (tmp_path / "file.pth").write_bytes(content)
    message = refusal(tmp_path / "file.pth")
    assert reason in message
    assert "file.pth" in message
    assert "\n" not in message


def test_code_in_a_checkpoint_is_not_run(cache: Path, tmp_path: Path) -> None:
    class Payload:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return os.mkdir, (str(tmp_path / "ran"),)

    assert re.search(
        r"posix\.mkdir, which is not loaded: .*save the tensors", refusal(saved(tmp_path / "b.pth", Payload()))
    )
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("content", [[1, 2], {}, {"epoch": 3}, {"model": {"a": 1}}])
def test_a_file_without_tensors_by_name_is_refused(cache: Path, tmp_path: Path, content: object) -> None:
    assert "holds no tensors by name" in refusal(saved(tmp_path / "list.pth", content))


def test_what_else_a_file_has_is_listed(cache: Path, tmp_path: Path) -> None:
    content = {"epoch": 3, "net": small_sam(), "lr": 1e-3, "seed": 1, "loss": 0.5}
    assert refusal(saved(tmp_path / "net.pth", content)).endswith("it has epoch, net, lr and 2 more")
    state = {f"sam.{name}": tensor for name, tensor in small_sam().items()} | {"criterion.weight": torch.zeros(1)}
    assert refusal(saved(tmp_path / "a.pth", state)).endswith("its tensors' names begin with sam, criterion")


@pytest.mark.parametrize("wrappers", [("state_dict",), ("model_state_dict",), ("model",), ("model", "state_dict")])
@pytest.mark.parametrize("prefix", ["", "module.", "model.", "model.module.sam."])
def test_tensors_are_found_as_training_code_keeps_them(tmp_path: Path, wrappers: tuple[str, ...], prefix: str) -> None:
    state = small_sam()
    content: object = {f"{prefix}{name}": tensor for name, tensor in state.items()}
    for wrapper in reversed(wrappers):
        content = {"epoch": 3, wrapper: content}
    found = read_checkpoint(saved(tmp_path / "tuned.pth", content))
    assert found.keys() == state.keys()
    assert all(torch.equal(found[name], state[name]) for name in state)


@pytest.mark.parametrize(
    ("sign", "family"),
    [
        ("mask_decoder.hf_token.weight", "hq_sam"),
        ("sam_mask_decoder.iou_token.weight", "sam2"),
        ("prompt_encoder.bbox_top_left_embeddings.weight", "efficient_sam"),
    ],
)
def test_a_checkpoint_of_another_family_is_told_which(cache: Path, tmp_path: Path, sign: str, family: str) -> None:
    state = small_sam() | {sign: torch.zeros(1, 32)}
    assert f"it looks like one for --family {family}" in refusal(saved(tmp_path / "other.pth", state))


def test_a_checkpoint_with_missing_unexpected_or_misshapen_tensors_is_refused_by_their_names(
    cache: Path, tmp_path: Path
) -> None:
    state = small_sam()
    lacking = {name: tensor for name, tensor in state.items() if not name.endswith("norm3.bias")}
    message = refusal(saved(tmp_path / "a.pth", lacking | {"extra.weight": torch.zeros(1)}))
    assert "it lacks mask_decoder.transformer.layers.0.norm3.bias" in message
    assert "it has extra.weight" in message
    misshapen = state | {"image_encoder.neck.1.bias": torch.zeros(31)}
    message = refusal(saved(tmp_path / "b.pth", misshapen))
    assert "image_encoder.neck.1.bias has the shape [31], expected [32]" in message
    assert "it lacks image_encoder.patch_embed.proj.weight" in refusal(
        saved(tmp_path / "c.pth", {name: value for name, value in state.items() if "patch_embed" not in name})
    )
    assert below(cache) == []


@pytest.mark.parametrize(
    ("name", "reason"),
    [("mobile_sam", "samserve brings along"), ("../up", "cannot be a folder's name"), (".hidden", "cannot be")],
)
def test_a_name_that_cannot_be_given_is_refused(cache: Path, tmp_path: Path, name: str, reason: str) -> None:
    assert reason in refusal(saved(tmp_path / "sam.pth", small_sam()), "--name", name)
    assert below(tmp_path) == ["sam.pth"]


def test_what_is_there_is_only_replaced_by_the_same_checkpoints_export(cache: Path, tmp_path: Path) -> None:
    first, second = (saved(tmp_path / f"{seed}.pth", small_sam(seed=seed)) for seed in (3, 4))
    output = tmp_path / "out"
    words = ("--output", output)
    assert exported("--family", "sam", "--checkpoint", first, *words).exit_code == 0
    (output / "decoder.onnx").write_bytes(b"damaged")
    assert "exists, and not from this checkpoint" in refusal(second, *words)
    assert (output / "decoder.onnx").read_bytes() == b"damaged"
    assert exported("--family", "sam", "--checkpoint", first, *words).exit_code == 0
    assert (output / "decoder.onnx").stat().st_size > 100_000
    assert sorted(path.name for path in tmp_path.iterdir()) == ["3.pth", "4.pth", "out"]


def test_graphs_that_answer_otherwise_leave_nothing_behind(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    exact = ExportLimits(mask_iou=1.1, logit_drift=1, iou_error=1, embedding_drift=1)
    monkeypatch.setitem(LIMITS, "fp32", exact)
    message = refusal(saved(tmp_path / "sam.pth", small_sam()))
    assert "the stock decoder's graph answers otherwise than the checkpoint for a click on picture 1" in message
    assert "(at least 1.1)" in message
    assert below(cache / "weights") == []


def test_the_command_is_found_by_the_server_and_ends_in_one_line(cache: Path, tmp_path: Path) -> None:
    """As installed: an entry point, in a process of its own."""
    metadata = tmp_path / "site" / "samserve-0.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: samserve\nVersion: 0\n")
    (metadata / "entry_points.txt").write_text("[samserve.commands]\nexport = exporters.cli:export_command\n")
    path = os.pathsep.join([str(REPOSITORY), str(metadata.parent)])
    (tmp_path / "no.pth").write_bytes(b"")
    command = [sys.executable, "-m", "server", "export", "--family", "sam", "--checkpoint", str(tmp_path / "no.pth")]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"PYTHONPATH": path}, check=False)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("Error: ")
    assert "Traceback" not in done.stderr


def test_without_samserve_installed_it_ends_in_one_line_too(tmp_path: Path) -> None:
    (tmp_path / "no.pth").write_bytes(b"")
    command = [sys.executable, "-m", "exporters", "--family", "sam", "--checkpoint", str(tmp_path / "no.pth")]
    done = subprocess.run(command, capture_output=True, text=True, cwd=REPOSITORY, check=False)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("Error: ")
    assert "Traceback" not in done.stderr


def test_a_decoder_that_no_faster_one_can_be_built_of_is_told(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.graphs.stock._MODULES", re.compile("no module is called this"))
    result = exported("--family", "sam", "--checkpoint", saved(tmp_path / "sam.pth", small_sam()), "--name", "mine")
    assert result.exit_code == 0, result.exception
    assert "served with the exported decoder only, which is slower" in result.output
