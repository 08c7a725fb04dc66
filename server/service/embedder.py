"""The one way to make an image embedding: fetch, decode, encode, keep; each once however many wait."""

import asyncio
import hashlib
from collections.abc import Callable
from concurrent.futures import Executor

import structlog

from server.core.crop import Crop
from server.core.embedding import EmbeddingKey, Image, ImageEmbedding
from server.core.reference import ImageReference
from server.errors import ImageUnavailable
from server.service.flights import Flights
from server.service.identities import Identities
from server.service.ports import EmbeddingCache, ImageDecoder, ImageSource, Model

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
        encoder: Executor,
    ) -> None:
        self._model, self._cache, self._images = model, cache, images
        self._decode_image, self._identities, self._encoder = decode_image, identities, encoder
        self._by_uri: Flights[ImageEmbedding] = Flights()
        self._by_content: Flights[ImageEmbedding] = Flights()

    async def embed(self, reference: ImageReference) -> ImageEmbedding:
        """The embedding of the image, or of the part of it, that is meant.

        Raises:
            ImageError: the image cannot be had, or is none.
        """
        uri = self._images.locate(reference)
        name = await _name(uri)
        identity = self._identities.get(name)
        if identity and self._identities.is_fresh(identity):
            embedding = self._cache.get(self._key(identity.sha256, reference))
            if embedding:
                return embedding
        return await self._by_uri.join((name, reference.crop), lambda: self._fetch(uri, name, reference))

    async def _fetch(self, uri: str, name: str, reference: ImageReference) -> ImageEmbedding:
        try:
            content = await self._images.fetch(uri)
        except ImageUnavailable as error:
            known = self._identities.get(name)
            stale = known and self._cache.get(self._key(known.sha256, reference))
            if not known or not stale:
                raise
            log.warning("image_not_revalidated", task=reference.task, reason=str(error))
            self._identities.put(name, known.sha256)  # or every click would wait for another fetch to fail
            return stale
        sha256 = await asyncio.to_thread(_sha256, content)
        self._identities.put(name, sha256)
        key = self._key(sha256, reference)
        embedding = self._cache.get(key)
        if embedding:
            return embedding
        return await self._by_content.join(key, lambda: self._encode(content, key, reference))

    async def _encode(self, content: bytes, key: EmbeddingKey, reference: ImageReference) -> ImageEmbedding:
        # decoded only when it is its turn: pixels that wait take far more memory than the file
        embedding = await _run(self._encoder, lambda: self._model.encode(self._pixels(content, reference.crop)))
        self._cache.put(key, embedding)
        log.info("encoded", task=reference.task, width=embedding.size.width, height=embedding.size.height)
        return embedding

    def _pixels(self, content: bytes, crop: Crop | None) -> Image:
        image = self._decode_image(content)
        return crop.cut(image) if crop else image

    def _key(self, sha256: str, reference: ImageReference) -> EmbeddingKey:
        return self._model.key(reference.identity(sha256))


async def _name(uri: str) -> str:
    """A short name of a URI; a data: URI is as long as its image, and takes as long to hash."""
    encoded = uri.encode()
    return await asyncio.to_thread(_sha256, encoded) if len(encoded) > _LONG_URI else _sha256(encoded)


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


async def _run(executor: Executor, work: Callable[[], ImageEmbedding]) -> ImageEmbedding:
    return await asyncio.get_running_loop().run_in_executor(executor, work)
