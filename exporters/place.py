"""Where an exported model goes, and whether it may."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from server.errors import ModelUnusable
from server.models.manifest import FILE_NAME, parse_manifest
from server.weights.store import PACKAGED, GraphStore


@dataclass(frozen=True)
class Place:
    """A folder that is free, or holds an earlier export of the same checkpoint.

    Attributes:
        name: of the model.
        folder: of its graphs and manifest.
    """

    name: str
    folder: Path

    @classmethod
    def of(cls, name: str, output: Path | None, store: GraphStore, checkpoint_sha256: str) -> "Place":
        """The place of a model called `name`: `output`, or where the server looks.

        Raises:
            ModelUnusable: it is no name, or samserve's own, or something else is there.
        """
        if not re.search(FILE_NAME, name):
            raise ModelUnusable(f"{name!r} cannot be a folder's name: use letters, digits, '_', '-' and '.' in --name")
        if (PACKAGED / name).is_dir():
            raise ModelUnusable(f"{name} is a model that samserve brings along; give another --name")
        folder = output or store.root / name
        if folder.exists() and _exported_from(folder) != checkpoint_sha256:
            raise ModelUnusable(
                f"{folder} exists, and not from this checkpoint; give another --name, or remove it first"
            )
        return cls(name, folder)

    @contextmanager
    def incoming(self) -> Iterator[GraphStore]:
        """A store on the same file system, removed afterwards."""
        with GraphStore(self.folder.absolute().parent).incoming() as scratch:
            yield GraphStore(scratch)

    def take(self, folder: Path) -> None:
        """Moves `folder`, in `incoming`, to its place; what was exported there before goes."""
        if self.folder.exists():
            self.folder.replace(folder.parent / ".before")
        folder.replace(self.folder)


def _exported_from(folder: Path) -> str | None:
    """The sha256 of the checkpoint whose export is in a folder; None where there is something else."""
    path = folder / "manifest.json"
    if not path.is_file():
        return None
    export = parse_manifest(path.read_bytes(), str(path)).export
    return export.checkpoint_sha256 if export else None
