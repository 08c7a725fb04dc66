"""The one way to make an image embedding: fetch, decode, encode, keep; each once however many wait."""

import asyncio
import hashlib
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
from server.service.identities import Identities
from server.service.ports import EmbeddingCache, ImageDecoder, ImageSource, Model
from server.stages import queued, stage

_Kept = tuple[EmbeddingKey, ImageEmbedding]
_LONG_URI = 1 << 16

log = structlog.get_logger("samserve.embed")


class Embedder:
    """Gives images' embeddings, from the cache where it has them."""

    def __init__(
        self,
        model: Model,
        cache: EmbeddingCache,
        images: ImageSource,
        decode_image: ImageDecoder,
        identities: Identities,
        queue: EncodeQueue,
    ) -> None:
        self._model, self._cache, self._images = model, cache, images
        self._decode_image, self._identities, self._queue = decode_image, identities, queue
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

    async def keep(self, reference: ImageReference, priority: Priority) -> bool:
        """Sees to it that an image's embedding is kept, without reading one that is; whether it was encoded for that.

        An image that cannot be looked at fails, even where an embedding of it was kept earlier.

        Raises:
            ImageError: the image cannot be had, or is none.
            Overloaded: too much waits that is no less urgent.
        """
        uri = self._images.locate(reference)
        name = await _name(uri)
        if await self._has(name, reference):
            return False
        with stage("fetch"):
            content = await self._images.fetch(uri)
        key = self._key(await self._identify(name, content), reference)
        if await self._cache.has(key):
            return False
        await self._by_content.join(key, partial(self._encode, content, key, reference), Demand(priority))
        await self._cache.written()  # so that a crawl goes no faster than the disk
        return True

    async def is_kept(self, reference: ImageReference) -> bool:
        """Whether a click on this image would be answered without an encode.

        Raises:
            ImageRefused: no rule says how to fetch such a reference.
        """
        return await self._has(await _name(self._images.locate(reference)), reference)

    async def close(self) -> None:
        """Gives up what is under way."""
        await self._by_uri.close()
        await self._by_content.close()

    async def _embed(self, reference: ImageReference, priority: Priority) -> _Kept:
        uri = self._images.locate(reference)
        name = await _name(uri)
        sha256 = self._fresh(name)
        kept = await self._find(sha256, reference) if sha256 else None
        if kept:
            return kept
        work = partial(self._fetch, uri, name, reference)
        return await self._by_uri.join((name, reference.crop), work, Demand(priority))

    async def _find(self, sha256: str, reference: ImageReference) -> _Kept | None:
        key = self._key(sha256, reference)
        embedding = await self._cache.find(key)
        return (key, embedding) if embedding else None

    async def _has(self, name: str, reference: ImageReference) -> bool:
        sha256 = self._fresh(name)
        return sha256 is not None and await self._cache.has(self._key(sha256, reference))

    def _fresh(self, name: str) -> str | None:
        """The sha256 of what is at a URI, where it was looked at just now."""
        identity = self._identities.get(name)
        return identity.sha256 if identity and self._identities.is_fresh(identity) else None

    async def _identify(self, name: str, content: bytes) -> str:
        sha256 = await asyncio.to_thread(_sha256, content)
        self._identities.put(name, sha256)
        return sha256

    async def _fetch(self, uri: str, name: str, reference: ImageReference, demand: Demand) -> _Kept:
        try:
            with stage("fetch"):
                content = await self._images.fetch(uri)
        except ImageUnavailable as error:
            known = self._identities.get(name)
            stale = await self._find(known.sha256, reference) if known else None
            if not known or not stale:
                raise
            log.warning("image_not_revalidated", task=reference.task, reason=str(error))
            self._identities.put(name, known.sha256)  # or every click would wait for another fetch to fail
            return stale
        sha256 = await self._identify(name, content)
        kept = await self._find(sha256, reference)
        if kept:
            return kept
        key = self._key(sha256, reference)
        return key, await self._by_content.join(key, partial(self._encode, content, key, reference), demand)

    async def _encode(
        self, content: bytes, key: EmbeddingKey, reference: ImageReference, demand: Demand
    ) -> ImageEmbedding:
        # decoded only when it is its turn: pixels that wait take far more memory than the file
        embedding = await self._queue.run(queued(partial(self._encode_pixels, content, reference.crop)), demand)
        put = self._cache.put_away if demand.priority == Priority.CRAWL else self._cache.put
        put(key, embedding)
        size, wanted = embedding.size, "nobody" if demand.priority is None else demand.priority.name.lower()
        log.info("encoded", task=reference.task, width=size.width, height=size.height, wanted_by=wanted)
        return embedding

    def _encode_pixels(self, content: bytes, crop: Crop | None) -> ImageEmbedding:
        with stage("decode"):
            image = self._decode_image(content)
            pixels = crop.cut(image) if crop else image
        with stage("encode"):
            return self._model.encode(pixels)

    def _key(self, sha256: str, reference: ImageReference) -> EmbeddingKey:
        return self._model.key(reference.identity(sha256))


async def _name(uri: str) -> str:
    """A short name of a URI; a data: URI is as long as its image, and takes as long to hash."""
    encoded = uri.encode()
    return await asyncio.to_thread(_sha256, encoded) if len(encoded) > _LONG_URI else _sha256(encoded)


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
