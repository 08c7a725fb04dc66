"""What one embedding of SAM's size costs on disk: python -m benchmarks.disk_cache [FOLDER]

Milliseconds of this thread's CPU time and of the clock, medians of 100 or 5; reads come from the page cache.
"""

import hashlib
import mmap
import sys
import tempfile
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np

from server.cache.codec import decode, encode
from server.cache.disk import DiskCache
from server.core.embedding import EmbeddingKey, ImageEmbedding
from server.core.geometry import ImageSize

TIMES, FILES = 100, 100_000


def key(number: int) -> EmbeddingKey:
    """One of the length that a real one has."""
    return EmbeddingKey(f"{number:064x}", "e" * 64, "p" * 16)


def measure(name: str, work: Callable[[int], object], times: int = TIMES) -> None:
    """Prints one row; `work` is given 0, 1, ..."""
    cpu, wall = [], []
    for number in range(times):
        started = time.thread_time(), time.perf_counter()
        work(number)
        cpu.append(time.thread_time() - started[0])
        wall.append(time.perf_counter() - started[1])
    print(f"{name:32} {np.median(cpu) * 1e3:6.2f} {np.median(wall) * 1e3:6.2f}")


def mapped(path: Path) -> object:
    """What a read by mmap would be: the checksum, and float32 values."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        zlib.crc32(content)
        return np.array(np.frombuffer(content, np.float16, 1 << 20, len(content) - (2 << 20)), np.float32)


def main() -> None:
    """Prints the bytes and one row per step."""
    values = np.random.default_rng(0).normal(0, 0.1, (1, 256, 64, 64)).astype(np.float32)
    embedding = ImageEmbedding(ImageSize(1080, 1920), {"image_embeddings": values})
    content = encode(key(0), embedding)
    print(f"{len(content)} bytes on disk, {embedding.nbytes} in memory\n{'ms':32} {'cpu':>6} {'clock':>6}")
    with tempfile.TemporaryDirectory(dir=sys.argv[1] if len(sys.argv) > 1 else None) as folder:
        cache = DiskCache(Path(folder), 1 << 30)
        measure("write", lambda number: cache.put(key(number), embedding))
        measure("  of it encoding", lambda number: encode(key(number), embedding))
        measure("read, checksum included", lambda number: cache.get(key(number)))
        measure("  of it decoding", lambda _: decode(content))
        measure("  of that the CRC-32", lambda _: zlib.crc32(content))
        measure("  (BLAKE2b instead)", lambda _: hashlib.blake2b(content).digest())
        files = sorted(Path(folder).iterdir())
        measure("read by mmap", lambda number: mapped(files[number]))
        for number in range(FILES):
            (Path(folder) / f"{number:064x}.embedding").touch()
        measure(
            f"first write beside {FILES} files",
            lambda number: DiskCache(Path(folder), 1 << 40).put(key(number), embedding),
            times=5,
        )


if __name__ == "__main__":
    main()
