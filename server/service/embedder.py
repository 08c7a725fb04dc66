"""The one way to make an image embedding: fetch, decode, encode, keep; each once however many wait."""

import asyncio
from functools import partial

import structlog

from server.core.crop import Crop
from server.core.embedding import EmbeddingKey, ImageEmbedding
from server.core.look import Look
from server.core.reference import ImageReference
from server.errors import ImageUnavailable
from server.service.demand import Demand, Priority
from server.service.encode_queue import EncodeQueue
from server.service.flights import Flights
from server.service.image_files import ImageFile, ImageFiles, Place
from server.service.ports import EmbeddingCache, ImageDecoder, Model
from server.stages import queued, stage

_Kept = tuple[EmbeddingKey, ImageEmbedding]

log = structlog.get_logger("samserve.embed")


class Embedder:
    """Gives images' embeddings, from the cache where it has them."""

    def __init__(
        self,
        model: Model,
        cache: EmbeddingCache,
        files: ImageFiles,
        decode_image: ImageDecoder,
        queue: EncodeQueue,
    ) -> None:
        self._model, self._cache, self._files = model, cache, files
        self._decode_image, self._queue = decode_image, queue
        self._by_uri: Flights[_Kept] = Flights()
        self._by_content: Flights[ImageEmbedding] = Flights()

    async def embed(self, reference: ImageReference, priority: Priority) -> ImageEmbedding:
        """The embedding of the image, or of the part of it, that is meant; it costs nothing where it is kept already.

        Whoever asks for many bounds how many at once: each call under way holds its image's file.

        Raises:
            ImageError: the image cannot be had, or is none.
            Overloaded: too much waits that is no less urgent.
        """
        _, embedding = await self._embed(reference, priority)
        return embedding

    async def look(self, reference: ImageReference, priority: Priority) -> Look:
        """A look at the whole image, with its embedding; fails as `embed` does."""
        key, whole = await self._embed(reference, priority)
        return Look(reference, key, whole, whole)

    async def make_ready(self, reference: ImageReference, priority: Priority) -> None:
        """Has all that a click on an image would have to wait for.

        Raises:
            ImageError: the image cannot be had, or is none.
            Overloaded: too much waits that is no less urgent.
        """
        embedding = await self.embed(reference, priority)
        await asyncio.to_thread(self._model.prepare, embedding)

    async def keep(self, reference: ImageReference, priority: Priority) -> bool:
        """Sees to it that an image's embedding is kept, without reading one that is; whether it was encoded for that.

        An image that cannot be looked at fails, even where an embedding of it was kept earlier.

        Raises:
            ImageError: the image cannot be had, or is none.
            Overloaded: too much waits that is no less urgent.
        """
        place = await self._files.place(reference)
        if await self._has(place, reference):
            return False
        file = await self._files.fetch(place, Demand(priority))
        key = self._key(file.sha256, reference)
        if await self._cache.has(key):
            return False
        await self._by_content.join(key, partial(self._encode, file, key, reference), Demand(priority))
        await self._cache.written()  # so that a crawl goes no faster than the disk
        return True

    async def is_kept(self, reference: ImageReference) -> bool:
        """Whether a click on this image would be answered without an encode.

        Raises:
            ImageRefused: no rule says how to fetch such a reference.
        """
        return await self._has(await self._files.place(reference), reference)

    async def close(self) -> None:
        """Gives up what is under way."""
        await self._by_uri.close()
        await self._by_content.close()
        await self._files.close()

    async def _embed(self, reference: ImageReference, priority: Priority) -> _Kept:
        place = await self._files.place(reference)
        sha256 = self._files.fresh(place)
        kept = await self._find(sha256, reference) if sha256 else None
        if kept:
            return kept
        return await self._by_uri.join(
            (place.name, reference.crop), partial(self._make, place, reference), Demand(priority)
        )

    async def _find(self, sha256: str, reference: ImageReference) -> _Kept | None:
        key = self._key(sha256, reference)
        embedding = await self._cache.find(key)
        return (key, embedding) if embedding else None

    async def _has(self, place: Place, reference: ImageReference) -> bool:
        sha256 = self._files.fresh(place)
        return sha256 is not None and await self._cache.has(self._key(sha256, reference))

    async def _make(self, place: Place, reference: ImageReference, demand: Demand) -> _Kept:
        try:
            file = await self._files.fetch(place, demand)
        except ImageUnavailable as error:
            sha256 = self._files.last_seen(place)
            stale = await self._find(sha256, reference) if sha256 else None
            if not sha256 or not stale:
                raise
            log.warning("image_not_revalidated", task=reference.task, reason=str(error))
            self._files.trust(place, sha256)  # or every click would wait for another fetch to fail
            return stale
        kept = await self._find(file.sha256, reference)
        if kept:
            self._files.keep(file)
            return kept
        key = self._key(file.sha256, reference)
        return key, await self._by_content.join(key, partial(self._encode, file, key, reference), demand)

    async def _encode(
        self, file: ImageFile, key: EmbeddingKey, reference: ImageReference, demand: Demand
    ) -> ImageEmbedding:
        # decoded only when it is its turn: pixels that wait take far more memory than the file
        work = partial(self._encode_pixels, file.content, reference.crop, demand)
        embedding = await self._queue.run(queued(work), demand)
        if demand.priority == Priority.CRAWL:  # it must push out nothing that is worked on
            self._cache.put_away(key, embedding)
        else:
            self._cache.put(key, embedding)
            self._files.keep(file)
        size, wanted = embedding.size, "nobody" if demand.priority is None else demand.priority.name.lower()
        log.info("encoded", task=reference.task, width=size.width, height=size.height, wanted_by=wanted)
        return embedding

    def _encode_pixels(self, content: bytes, crop: Crop | None, demand: Demand) -> ImageEmbedding:
        with stage("decode"):
            image = self._decode_image(content)
            pixels = crop.cut(image) if crop else image
        with stage("encode"):
            return self._model.encode(pixels, demand.is_urgent)

    def _key(self, sha256: str, reference: ImageReference) -> EmbeddingKey:
        return self._model.key(reference.identity(sha256))
