"""A process of its own that keeps embeddings on disk: python -m tests.unit.keeper FOLDER MAX_BYTES COUNT FSIZE"""

import resource
import sys
from pathlib import Path

from server.cache.disk import DiskCache
from tests.unit.embeddings import embedding, key


def keep(folder: str, max_bytes: str, count: str, largest_file: str) -> None:
    """Puts embeddings 0, 1, ...; says when the first is there, and at the end how many writes were refused."""
    if int(largest_file):
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(largest_file), int(largest_file)))
    cache = DiskCache(Path(folder), int(max_bytes))
    for number in range(int(count)):
        cache.put(key(str(number)), embedding(number, 50_000))
        if number == 0:
            sys.stdout.write("begun\n")
            sys.stdout.flush()
    sys.stdout.write(f"{cache.failures}\n")


if __name__ == "__main__":
    keep(*sys.argv[1:])
