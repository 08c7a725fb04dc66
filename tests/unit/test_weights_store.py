import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from server.errors import ModelUnusable
from server.models.manifest import FolderSource, Manifest, NpmSource, UrlSource, parse_manifest
from server.weights.store import GraphStore, find_manifest, known_models, sha256_of

NO_EXPORTS = Path("/nowhere")
ENCODER, DECODER = b"encoder graph", b"decoder graph"


def graph(file: str, content: bytes) -> dict[str, Any]:
    sha256 = hashlib.sha256(content).hexdigest()
    return {"file": file, "bytes": len(content), "sha256": sha256, "inputs": {"image": "x"}, "outputs": {}}


def document(**changes: Any) -> dict[str, Any]:
    return {
        "name": "tiny",
        "title": "Tiny",
        "family": "sam",
        "license": "MIT",
        "homepage": "",
        "sources": [
            {"kind": "npm", "package": "tiny", "version": "1.0.0", "folder": "package", "bytes": 10},
            {"kind": "url", "url": "https://example.org/tiny"},
            {"kind": "folder", "path": "/srv/tiny"},
        ],
        "encoder": graph("encoder.onnx", ENCODER),
        "decoder": graph("decoder.onnx", DECODER),
        "preprocessing": {
            "input_size": 64,
            "resize": "longest_side_bilinear_antialias",
            "mean": [0, 0, 0],
            "std": [255, 255, 255],
        },
    } | changes


def manifest(**changes: Any) -> Manifest:
    return parse_manifest(json.dumps(document(**changes)).encode(), "here")


def publish(folder: Path, name: str, text: str) -> None:
    (folder / name).mkdir(parents=True)
    (folder / name / "manifest.json").write_text(text)


def fill(folder: Path, encoder: bytes | None = ENCODER, decoder: bytes | None = DECODER) -> None:
    for file, content in (("encoder.onnx", encoder), ("decoder.onnx", decoder)):
        if content is not None:
            (folder / file).write_bytes(content)


def files_below(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_manifest_says_where_its_graphs_are_in_order() -> None:
    assert manifest().sources == [
        NpmSource("tiny", "1.0.0", "package", 10),
        UrlSource("https://example.org/tiny"),
        FolderSource("/srv/tiny"),
    ]
    assert [each.file for each in manifest().graphs] == ["encoder.onnx", "decoder.onnx"]


def test_a_models_version_changes_with_either_graph() -> None:
    versions = {
        manifest().version,
        manifest(encoder=graph("encoder.onnx", b"other")).version,
        manifest(decoder=graph("decoder.onnx", b"other")).version,
    }
    assert len(versions) == 3
    assert all(version.startswith("tiny-") for version in versions)
    assert manifest(title="Renamed").version == manifest().version


def test_the_preprocessings_version_changes_with_what_the_encoder_sees() -> None:
    how = document()["preprocessing"]
    versions = {
        manifest(preprocessing=how | change).preprocessing.version
        for change in ({}, {"input_size": 65}, {"mean": [1, 0, 0]}, {"std": [255, 255, 1]})
    }
    assert len(versions) == 4
    assert manifest().preprocessing.version == manifest(title="Renamed").preprocessing.version


@pytest.mark.parametrize(
    "changes",
    [
        {"encoder": graph("../encoder.onnx", ENCODER)},
        {"encoder": graph("sub/encoder.onnx", ENCODER)},
        {"decoder": graph("/etc/passwd", DECODER)},
        {"decoder": graph("..\\decoder.onnx", DECODER)},
        {"decoder": graph("", DECODER)},
        {"name": "../elsewhere"},
        {"encoder": graph("encoder.onnx", ENCODER) | {"sha256": "abc"}},
        {"encoder": graph("encoder.onnx", ENCODER) | {"sha256": "A" * 64}},
        {"sources": [{"kind": "ftp", "url": "ftp://example.org"}]},
        {"unknown": 1},
    ],
    ids=str,
)
def test_a_manifest_that_could_do_harm_is_refused_by_its_place(changes: dict[str, Any]) -> None:
    with pytest.raises(ModelUnusable, match=r"^here is not a manifest: "):
        manifest(**changes)


@pytest.mark.parametrize("name", ["..", ".", "tiny\n"])
def test_a_name_that_is_no_file_name_is_refused(name: str) -> None:
    with pytest.raises(ModelUnusable, match="not a manifest"):
        manifest(name=name)


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"\xff"])
def test_a_manifest_that_does_not_parse_is_refused(text: bytes) -> None:
    with pytest.raises(ModelUnusable, match=r"^here is not a manifest: "):
        parse_manifest(text, "here")


def test_models_are_known_by_their_manifests(tmp_path: Path) -> None:
    publish(tmp_path, "b", json.dumps(document(name="b")))
    publish(tmp_path, "a", json.dumps(document(name="a")))
    (tmp_path / "empty").mkdir()
    assert [known.name for known in known_models(NO_EXPORTS, tmp_path)] == ["a", "b"]
    assert find_manifest("b", NO_EXPORTS, tmp_path) == manifest(name="b")


def test_an_unknown_model_is_answered_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(ModelUnusable, match="no model 'c'; there are none"):
        find_manifest("c", NO_EXPORTS, tmp_path)
    publish(tmp_path, "a", json.dumps(document(name="a")))
    publish(tmp_path, "b", json.dumps(document(name="b")))
    with pytest.raises(ModelUnusable, match="no model 'c'; there are a, b"):
        find_manifest("c", NO_EXPORTS, tmp_path)


def test_a_broken_manifest_is_named_by_its_path(tmp_path: Path) -> None:
    publish(tmp_path, "a", "{}")
    with pytest.raises(ModelUnusable) as caught:
        known_models(NO_EXPORTS, tmp_path)
    assert str(tmp_path / "a" / "manifest.json") in str(caught.value)


def test_the_default_model_is_among_our_own() -> None:
    assert find_manifest("mobile_sam", NO_EXPORTS).family == "sam"


def test_a_file_is_known_by_its_sha256(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"abc")
    assert sha256_of(tmp_path / "file") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_graphs_are_missing_damaged_or_whole(tmp_path: Path) -> None:
    store, tiny = GraphStore(tmp_path), manifest()
    assert store.folder(tiny) == tmp_path / "tiny"
    assert [store.problem(tiny, each) for each in tiny.graphs] == ["missing", "missing"]
    store.folder(tiny).mkdir()
    fill(store.folder(tiny), decoder=b"something else")
    assert store.problem(tiny, tiny.encoder) is None
    assert store.problem(tiny, tiny.decoder) == "damaged: its sha256 is not the manifest's"
    assert not store.is_whole(tiny)
    fill(store.folder(tiny))
    assert store.is_whole(tiny)


def test_whole_graphs_are_moved_to_their_place_and_the_scratch_folder_goes(tmp_path: Path) -> None:
    store, tiny = GraphStore(tmp_path), manifest()
    with store.incoming() as scratch:
        fill(scratch)
        (scratch / "readme").write_bytes(b"left over")
        store.accept(tiny, scratch)
    assert files_below(tmp_path) == {"tiny/encoder.onnx": ENCODER, "tiny/decoder.onnx": DECODER}
    assert not scratch.exists()


@pytest.mark.parametrize(
    ("encoder", "decoder", "reason"),
    [
        (ENCODER, None, "decoder.onnx was not in it"),
        (None, DECODER, "encoder.onnx was not in it"),
        (ENCODER, DECODER[:-1], "decoder.onnx has sha256 [0-9a-f]{64}, expected [0-9a-f]{64}"),
        (b"", DECODER, "encoder.onnx has sha256 e3b0c442.*, expected [0-9a-f]{64}"),
    ],
)
def test_one_bad_graph_is_enough_to_change_nothing(
    tmp_path: Path, encoder: bytes | None, decoder: bytes | None, reason: str
) -> None:
    store, tiny = GraphStore(tmp_path), manifest()
    store.folder(tiny).mkdir()
    fill(store.folder(tiny), b"old encoder", b"old decoder")
    with store.incoming() as scratch:
        fill(scratch, encoder, decoder)
        with pytest.raises(ModelUnusable, match=reason):
            store.accept(tiny, scratch)
    assert files_below(tmp_path) == {"tiny/encoder.onnx": b"old encoder", "tiny/decoder.onnx": b"old decoder"}
