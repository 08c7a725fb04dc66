"""A model in a cache folder, as an export leaves it there: what the settings name is found, checked and loaded."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import msgspec

from server.models.manifest import Manifest
from server.settings import Settings
from server.weights.store import GraphStore


class Installed(NamedTuple):
    """A model and the store that has its graphs."""

    manifest: Manifest
    store: GraphStore

    @property
    def settings(self) -> Settings:
        """Of a server of this model, on one thread."""
        return Settings(model=self.manifest.name, cache_dir=str(self.store.root.parent), threads=1)


def installed(write: Callable[[Path], Manifest], cache: Path) -> Installed:
    """The model whose graphs `write` writes into a folder, in the cache folder."""
    store = GraphStore(cache / "weights")
    with store.incoming() as scratch:
        manifest = write(scratch)
        store.accept(manifest, scratch)
    (store.folder(manifest) / "manifest.json").write_bytes(msgspec.json.encode(manifest))
    return Installed(manifest, store)
