"""Making sure that a model's graphs are on this machine."""

from collections.abc import Sequence

from server.errors import ModelUnusable
from server.models.manifest import Manifest, Source
from server.weights.sources import Progress, describe, fetch
from server.weights.store import GraphStore


def pull(manifest: Manifest, store: GraphStore, sources: Sequence[Source], progress: Progress) -> Source | None:
    """Fetches a model's graphs unless they are here; gives the source that had them, None if nothing was needed.

    Sources are tried in order. What one of them delivers is verified before it replaces anything, so a failed,
    interrupted or tampered download never becomes a model.

    Raises:
        ModelUnusable: no source had them; the message says why each did not.
    """
    if store.is_whole(manifest):
        return None
    if manifest.export and not sources:
        raise ModelUnusable(f"graphs of {manifest.name} are missing or damaged; {manifest.remedy}")
    failures = []
    for source in sources:
        try:
            with store.incoming() as folder:
                fetch(source, manifest, folder, progress)
                store.accept(manifest, folder)
        except (ModelUnusable, OSError) as error:
            failures.append(f"{describe(source)}: {error}")
        else:
            return source
    raise ModelUnusable(
        f"no source has the graphs of {manifest.name} ({'; '.join(failures) or 'it names none'}). On a machine without "
        f"internet access copy {' and '.join(file.file for file in manifest.files)} into a folder and run: "
        f"samserve weights pull {manifest.name} --from FOLDER"
    )
