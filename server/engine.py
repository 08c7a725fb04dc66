"""What makes and keeps embeddings: put together from the settings, for the server and for a crawl of its own."""

import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path

from server.cache.disk import DiskCache
from server.cache.memory import MemoryCache
from server.cache.tiers import Tiered
from server.errors import BadSettings
from server.images.decode import decode_image
from server.images.downloads import Downloads
from server.images.guard import AddressPolicy
from server.images.http import HttpImages
from server.images.label_studio import LabelStudioAuth
from server.images.label_studio_tasks import LabelStudioTasks
from server.images.local import LocalFiles
from server.images.locate import Locator
from server.images.objects import BucketImages
from server.images.resolve import ImageSources
from server.runtime.gpu import Gpu
from server.runtime.model import SamModel
from server.service.embedder import Embedder
from server.service.encode_queue import EncodeQueue
from server.service.identities import Identities
from server.service.image_files import ImageFiles
from server.service.ports import EmbeddingCache, ImageSource
from server.settings import Settings
from server.studio.api import StudioApi

STUDIO_UNSET = "set LABEL_STUDIO_URL and LABEL_STUDIO_API_KEY (a token from Account & Settings)"

_ENCODES_WAITING = 160  # each holds an image file
_IMAGE_FRESH_SECONDS = 300.0
_FILES_AT_HAND_BYTES = 64 << 20


class Engine:
    """An embedder and everything behind it, for one event loop; its threads and connections end with `running`.

    Attributes:
        tasks: Label Studio's tasks; None without its URL and a token.
        decode_image: as the embedder decodes images.
        encodes_at_once: how many images the encoder has under way.
    """

    def __init__(self, settings: Settings, model: SamModel, images: ImageSource | None = None) -> None:
        self.encodes_at_once = model.encodes_at_once
        self._encoder = ThreadPoolExecutor(self.encodes_at_once, "encoder")
        self._reader = ThreadPoolExecutor(1, "embedding-reader")
        self._writer = ThreadPoolExecutor(1, "embedding-writer")
        http = _http(settings)
        self._sources = image_sources(settings, http)
        self.images: ImageSource = images or self._sources
        self.decode_image = partial(decode_image, max_pixels=settings.max_pixels)
        self.cache = self._cache(settings)
        self.queue = EncodeQueue(self._encoder, _ENCODES_WAITING, self.encodes_at_once)
        self.embedder = Embedder(
            model=model,
            cache=self.cache,
            files=ImageFiles(self.images, Identities(_IMAGE_FRESH_SECONDS, time.monotonic), _FILES_AT_HAND_BYTES),
            decode_image=self.decode_image,
            queue=self.queue,
        )
        self.tasks = LabelStudioTasks(http, settings.label_studio_url) if settings.knows_label_studio else None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Whoever uses the engine does so while this lasts."""
        async with AsyncExitStack() as stack:
            stack.callback(self._writer.shutdown)  # what was encoded is kept
            stack.callback(self._reader.shutdown, cancel_futures=True)
            stack.callback(self._encoder.shutdown, cancel_futures=True)
            stack.push_async_callback(self._sources.close)
            stack.push_async_callback(self.embedder.close)
            yield

    def _cache(self, settings: Settings) -> EmbeddingCache:
        memory = MemoryCache(settings.embedding_memory_mib << 20)
        if settings.embedding_disk_gib == 0:
            return memory
        disk = DiskCache(settings.cache_path / "embeddings", settings.embedding_disk_gib << 30)
        return Tiered(memory, disk, self._reader, self._writer)


def gpus(settings: Settings) -> list[Gpu]:
    """How each GPU of the settings is used."""
    engines, cache_bytes = settings.cache_path / "tensorrt", settings.gpu_cache_mib << 20
    return [Gpu(number, engines, cache_bytes) for number in settings.gpus]


def image_sources(settings: Settings, http: HttpImages | None = None) -> ImageSources:
    """All the places that images come from."""
    mount = settings.label_studio_local_files_document_root
    max_bytes, seconds = settings.max_image_mib << 20, settings.fetch_seconds
    return ImageSources(
        Locator(settings.label_studio_url, settings.buckets, bool(mount), settings.label_studio_host),
        http or _http(settings),
        BucketImages(settings.buckets, max_bytes, seconds),
        LocalFiles(Path(mount), max_bytes, seconds) if mount else None,
        Downloads(settings.cache_path / "downloads", settings.download_cache_mib << 20),
        max_bytes,
    )


def studio_api(settings: Settings) -> StudioApi:
    """Label Studio's API, signed by the token of the settings.

    Raises:
        BadSettings: they have no Label Studio, or no token.
    """
    if not settings.knows_label_studio:
        raise BadSettings(STUDIO_UNSET)
    return StudioApi(settings.label_studio_url, _auth(settings))


def _auth(settings: Settings) -> LabelStudioAuth:
    return LabelStudioAuth(settings.label_studio_url, settings.label_studio_api_key)


def _http(settings: Settings) -> HttpImages:
    return HttpImages(
        AddressPolicy.allowing(settings.allow_hosts),
        settings.max_image_mib << 20,
        settings.fetch_seconds,
        _auth(settings) if settings.knows_label_studio else None,
        settings.label_studio_url,
    )
