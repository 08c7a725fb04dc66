"""The graphs on this machine: present, whole, or not."""

import hashlib
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from server.errors import ModelUnusable
from server.models.manifest import GraphFile, Manifest, parse_manifest

PACKAGED = Path(__file__).parents[2] / "weights"  # beside the package, in a checkout and when installed


def known_models(exports: Path, packaged: Path = PACKAGED) -> list[Manifest]:
    """All models with a manifest, by name: samserve's own, then those that were exported into the folder `exports`."""
    return [_read(path) for path in _manifests(exports, packaged).values()]


def find_manifest(name: str, exports: Path, packaged: Path = PACKAGED) -> Manifest:
    """The manifest of the model called `name`; of two, samserve's own.

    Raises:
        ModelUnusable: there is no such model.
    """
    manifests = _manifests(exports, packaged)
    if name not in manifests:
        raise ModelUnusable(
            f"there is no model {name!r}; there are {', '.join(manifests) or 'none'} (samserve weights list); "
            f"docs/export.md says how to make one of a checkpoint"
        )
    return _read(manifests[name])


def _manifests(exports: Path, packaged: Path) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for folder in (packaged, exports):
        for path in sorted(folder.glob("[!.]*/manifest.json")):
            found.setdefault(path.parent.name, path)
    return found


def _read(path: Path) -> Manifest:
    manifest = parse_manifest(path.read_bytes(), str(path))
    if manifest.name != path.parent.name:
        raise ModelUnusable(f"{path} is of {manifest.name}: call the folder {manifest.name}")
    return manifest


class GraphStore:
    """Graph files below one folder; a file gets its name only once its hash is right."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def folder(self, manifest: Manifest) -> Path:
        """Where a model's graphs are kept."""
        return self.root / manifest.name

    def problem(self, manifest: Manifest, file: GraphFile) -> str | None:
        """What is wrong with a model's file here; None when it is whole."""
        return problem_of(self.folder(manifest) / file.file, file)

    def is_whole(self, manifest: Manifest) -> bool:
        """Whether every file is here, with the right hash."""
        return not any(self.problem(manifest, file) for file in manifest.files)

    @contextmanager
    def incoming(self) -> Iterator[Path]:
        """A scratch folder on the same file system, removed afterwards."""
        self.root.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".incoming-", dir=self.root) as scratch:
            yield Path(scratch)

    def accept(self, manifest: Manifest, folder: Path) -> None:
        """Moves a model's graphs from `folder` (in `incoming`) to their place, once all hashes are right.

        Raises:
            ModelUnusable: a file is missing or not what the manifest says; nothing has changed then.
        """
        for file in manifest.files:
            path = folder / file.file
            if not path.is_file():
                raise ModelUnusable(f"{file.file} was not in it")
            found = sha256_of(path)
            if found != file.sha256:
                raise ModelUnusable(f"{file.file} has sha256 {found}, expected {file.sha256}")
        self.folder(manifest).mkdir(exist_ok=True)
        for file in manifest.files:
            (folder / file.file).replace(self.folder(manifest) / file.file)


def problem_of(path: Path, file: GraphFile) -> str | None:
    """What is wrong with a file; None when it is whole."""
    if not path.is_file():
        return "missing"
    return None if sha256_of(path) == file.sha256 else "damaged: its sha256 is not the manifest's"


def sha256_of(path: Path) -> str:
    """The sha256 (hex) of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
