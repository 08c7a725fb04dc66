"""The one way to make an image embedding: fetch, decode, encode, keep; each once however many wait."""

import asyncio
import hashlib
from concurrent.futures import Executor

import structlog

from server.core.embedding import ImageEmbedding
from server.core.reference import ImageReference
from server.errors import ImageUnavailable
from server.service.flights import Flights
from server.service.identities import Identities
from server.service.ports import EmbeddingCache, ImageDecoder, ImageSource, Model
from server.stages import queued, stage

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
        """The embedding of the image that a task names.

        Raises:
            ImageError: the image cannot be had, or is none.
        """
        uri = self._images.locate(reference)
        name = await _name(uri)
        identity = self._identities.get(name)
        if identity and self._identities.is_fresh(identity):
            embedding = self._cache.get(self._model.key(identity.sha256))
            if embedding:
                return embedding
        return await self._by_uri.join(name, lambda: self._fetch(uri, name, reference))

    async def _fetch(self, uri: str, name: str, reference: ImageReference) -> ImageEmbedding:
        try:
            with stage("fetch"):
                content = await self._images.fetch(uri)
        except ImageUnavailable as error:
            known = self._identities.get(name)
            stale = known and self._cache.get(self._model.key(known.sha256))
            if not known or not stale:
                raise
            log.warning("image_not_revalidated", task=reference.task, reason=str(error))
            self._identities.put(name, known.sha256)  # or every click would wait for another fetch to fail
            return stale
        sha256 = await asyncio.to_thread(_sha256, content)
        self._identities.put(name, sha256)
        embedding = self._cache.get(self._model.key(sha256))
        if embedding:
            return embedding
        return await self._by_content.join(sha256, lambda: self._encode(content, sha256, reference))

    async def _encode(self, content: bytes, sha256: str, reference: ImageReference) -> ImageEmbedding:
        # decoded only when it is its turn: pixels that wait take far more memory than the file
        embedding = await asyncio.get_running_loop().run_in_executor(
            self._encoder, queued(lambda: self._encode_pixels(content))
        )
        self._cache.put(self._model.key(sha256), embedding)
        log.info("encoded", task=reference.task, width=embedding.size.width, height=embedding.size.height)
        return embedding

    def _encode_pixels(self, content: bytes) -> ImageEmbedding:
        with stage("decode"):
            image = self._decode_image(content)
        with stage("encode"):
            return self._model.encode(image)


async def _name(uri: str) -> str:
    """A short name of a URI; a data: URI is as long as its image, and takes as long to hash."""
    encoded = uri.encode()
    return await asyncio.to_thread(_sha256, encoded) if len(encoded) > _LONG_URI else _sha256(encoded)


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
