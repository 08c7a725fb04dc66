"""A published model, where its graphs have been pulled."""

import pytest

from server.models.manifest import Manifest
from server.settings import Settings
from server.weights.store import GraphStore, find_manifest


def pulled(settings: Settings, name: str) -> tuple[Manifest, GraphStore]:
    """The model called `name`, and the store that has its graphs; the test is skipped where they are not here."""
    store = GraphStore(settings.cache_path / "weights")
    manifest = find_manifest(name, store.root)
    if not store.is_whole(manifest):
        pytest.skip(f"the graphs of {manifest.title} are not here; {manifest.remedy}")
    return manifest, store
