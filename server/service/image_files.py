"""Image files: each downloaded once, however many wait for it, and the last ones kept at hand."""

import asyncio
import hashlib
from collections import OrderedDict
from dataclasses import dataclass

from server.core.reference import ImageReference
from server.service.demand import Demand
from server.service.flights import Flights
from server.service.identities import Identities
from server.service.ports import ImageSource
from server.stages import stage

_LONG_URI = 1 << 16


@dataclass(frozen=True, slots=True)
class Place:
    """Where an image is: its URI, and a short name of that."""

    uri: str
    name: str


@dataclass(frozen=True, slots=True, eq=False)
class ImageFile:
    """An image's bytes, and their sha256 (hex)."""

    sha256: str
    content: bytes


class ImageFiles:
    """Fetches images' files, and knows which bytes were last seen where.

    The last files stay at hand, `max_bytes` of them, as each crop of an image is cut out of its file. For one event
    loop.
    """

    def __init__(self, images: ImageSource, identities: Identities, max_bytes: int) -> None:
        self._images, self._identities = images, identities
        self._fetches: Flights[ImageFile] = Flights()
        self._at_hand: OrderedDict[str, ImageFile] = OrderedDict()
        self._bytes, self._max_bytes = 0, max_bytes

    async def place(self, reference: ImageReference) -> Place:
        """Where a reference's image is.

        Raises:
            ImageRefused: no rule says how to fetch such a reference.
        """
        uri = self._images.locate(reference)
        encoded = uri.encode()  # a data: URI is as long as its image, and takes as long to hash
        long = len(encoded) > _LONG_URI
        return Place(uri, await asyncio.to_thread(_sha256, encoded) if long else _sha256(encoded))

    def fresh(self, place: Place) -> str | None:
        """The sha256 of what is there, where it was looked at just now."""
        identity = self._identities.get(place.name)
        return identity.sha256 if identity and self._identities.is_fresh(identity) else None

    def last_seen(self, place: Place) -> str | None:
        """The sha256 of what was there, however long ago."""
        identity = self._identities.get(place.name)
        return identity.sha256 if identity else None

    def trust(self, place: Place, sha256: str) -> None:
        """What was there is taken to be there still."""
        self._identities.put(place.name, sha256)

    async def fetch(self, place: Place, demand: Demand) -> ImageFile:
        """The file that is there, downloaded unless it is at hand and was looked at just now.

        Raises:
            ImageError: it cannot be had.
        """
        sha256 = self.fresh(place)
        file = self._at_hand.get(sha256) if sha256 else None
        if file:
            return file
        return await self._fetches.join(place.name, lambda _: self._download(place), demand)

    def keep(self, file: ImageFile) -> None:
        """From now on the file is at hand, as the last one; for files that can be decoded, or they stay broken."""
        if len(file.content) > self._max_bytes:
            return
        self._bytes += 0 if file.sha256 in self._at_hand else len(file.content)
        self._at_hand[file.sha256] = file
        self._at_hand.move_to_end(file.sha256)
        while self._bytes > self._max_bytes:
            _, dropped = self._at_hand.popitem(last=False)
            self._bytes -= len(dropped.content)

    async def close(self) -> None:
        """Gives up what is under way."""
        await self._fetches.close()

    async def _download(self, place: Place) -> ImageFile:
        with stage("fetch"):
            content = await self._images.fetch(place.uri)
        file = ImageFile(await asyncio.to_thread(_sha256, content), content)
        self._identities.put(place.name, file.sha256)
        return file


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
