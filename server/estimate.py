"""What a crawl would take, from a few of its images."""

import asyncio
import math
import shutil
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from server.cache.codec import encode
from server.core.embedding import ImageEmbedding
from server.core.reference import ImageReference
from server.engine import Engine
from server.errors import ImageError
from server.service.crawl import Listing
from server.service.ports import Model

_TIMED, _TRIED = 3, 12  # images
_FETCHED_AT_ONCE = 2
_GIB = 1 << 30


@dataclass(frozen=True, slots=True)
class Sample:
    """One image's way into the cache: seconds, and bytes on disk."""

    fetch: float
    encode: float
    nbytes: int

    @property
    def seconds(self) -> float:
        """What an image adds to a crawl, which fetches while it encodes."""
        return max(self.encode, self.fetch / _FETCHED_AT_ONCE)


async def count(listing: Listing) -> tuple[int, list[ImageReference]]:
    """How many images there are, and the first few."""
    number, first = 0, list[ImageReference]()
    async for images in listing.items:
        number += len(images)
        first += images[: _TRIED - len(first)]
    return number, first


async def take_samples(engine: Engine, model: Model, references: list[ImageReference]) -> list[Sample]:
    """Encodes a few images, and keeps nothing; images that cannot be had are passed over."""
    samples: list[Sample] = []
    for reference in references:
        with suppress(ImageError):
            samples.append(await _timed(engine, model, reference))
        if len(samples) == _TIMED:
            break
    return samples


def describe(images: int, samples: list[Sample], folder: Path, bound_gib: int) -> list[str]:
    """Time and disk for so many images, in lines for people; the last ones warn when they do not fit."""
    lines = [f"images  {images:,}"]
    if not samples:
        return [*lines, "none of the first ones can be had, so that there is nothing to time"]
    each = sum(sample.seconds for sample in samples) / len(samples)
    nbytes = sum(sample.nbytes for sample in samples) / len(samples)
    need, free = images * nbytes, _free(folder)
    lines += [
        f"time    {timedelta(seconds=math.ceil(images * each))} at most, {each:.2f} s each ({len(samples)} timed)",
        f"disk    {need / _GIB:,.2f} GiB at most, {nbytes / (1 << 20):.2f} MiB each, in {folder}; "
        f"{bound_gib} GiB allowed, {free / _GIB:,.1f} GiB free",
    ]
    if need > 0.9 * bound_gib * _GIB:  # the cache makes a tenth of the bound free whenever it is full
        enough = math.ceil(need / 0.9 / _GIB)
        lines.append(
            f"They do not fit: the first would make way for the last. Set SAMSERVE_EMBEDDING_DISK_GIB={enough}"
        )
    if need > free:
        lines.append("There is not so much free space on the disk, unless many of them are there already")
    return lines


async def _timed(engine: Engine, model: Model, reference: ImageReference) -> Sample:
    started = time.perf_counter()
    content = await engine.images.fetch(engine.images.locate(reference))
    fetched = time.perf_counter()
    embedding = await asyncio.to_thread(lambda: model.encode(engine.decode_image(content)))
    return Sample(fetched - started, time.perf_counter() - fetched, _stored_bytes(model, embedding))


def _stored_bytes(model: Model, embedding: ImageEmbedding) -> int:
    return len(encode(model.key("0" * 64), embedding))


def _free(folder: Path) -> int:
    existing = next(parent for parent in (folder, *folder.parents) if parent.exists())
    return shutil.disk_usage(existing).free
