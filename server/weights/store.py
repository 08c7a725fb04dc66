"""The graphs on this machine: present, whole, or not."""

import hashlib
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from server.errors import ModelUnusable
from server.models.manifest import Graph, Manifest, parse_manifest

_MANIFESTS = Path(__file__).parents[2] / "weights"  # beside the package, in a checkout and when installed


def known_models(folder: Path = _MANIFESTS) -> list[Manifest]:
    """All models with a manifest, by name."""
    return [parse_manifest(path.read_bytes(), str(path)) for path in sorted(folder.glob("*/manifest.json"))]


def find_manifest(name: str, folder: Path = _MANIFESTS) -> Manifest:
    """The manifest of the model called `name`.

    Raises:
        ModelUnusable: there is no such model.
    """
    names = sorted(path.parent.name for path in folder.glob("*/manifest.json"))
    if name not in names:
        raise ModelUnusable(f"there is no model {name!r}; there are {', '.join(names) or 'none'}")
    path = folder / name / "manifest.json"
    return parse_manifest(path.read_bytes(), str(path))


class GraphStore:
    """Graph files below one folder; a file gets its name only once its hash is right."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def folder(self, manifest: Manifest) -> Path:
        """Where a model's graphs are kept."""
        return self._folder / manifest.name

    def problem(self, manifest: Manifest, graph: Graph) -> str | None:
        """What is wrong with a graph here; None when it is whole."""
        return problem_of(self.folder(manifest) / graph.file, graph)

    def is_whole(self, manifest: Manifest) -> bool:
        """Whether every graph is here, with the right hash."""
        return not any(self.problem(manifest, graph) for graph in manifest.graphs)

    @contextmanager
    def incoming(self) -> Iterator[Path]:
        """A scratch folder on the same file system, removed afterwards."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".incoming-", dir=self._folder) as scratch:
            yield Path(scratch)

    def accept(self, manifest: Manifest, folder: Path) -> None:
        """Moves a model's graphs from `folder` (in `incoming`) to their place, once all hashes are right.

        Raises:
            ModelUnusable: a file is missing or not what the manifest says; nothing has changed then.
        """
        for graph in manifest.graphs:
            path = folder / graph.file
            if not path.is_file():
                raise ModelUnusable(f"{graph.file} was not in it")
            found = sha256_of(path)
            if found != graph.sha256:
                raise ModelUnusable(f"{graph.file} has sha256 {found}, expected {graph.sha256}")
        self.folder(manifest).mkdir(exist_ok=True)
        for graph in manifest.graphs:
            (folder / graph.file).replace(self.folder(manifest) / graph.file)


def problem_of(path: Path, graph: Graph) -> str | None:
    """What is wrong with a graph's file; None when it is whole."""
    if not path.is_file():
        return "missing"
    return None if sha256_of(path) == graph.sha256 else "damaged: its sha256 is not the manifest's"


def sha256_of(path: Path) -> str:
    """The sha256 (hex) of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
