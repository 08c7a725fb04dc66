"""What a download gives: bytes, and what their server calls this version of them."""

import msgspec


class Version(msgspec.Struct, frozen=True):
    """How a server recognises a version of an image, so that it can say whether it has another.

    Attributes:
        source: the URL without its query that said so; nobody else is asked.
    """

    source: str
    etag: str = ""
    modified: str = ""

    @property
    def conditions(self) -> dict[str, str]:
        """The headers of a request for any version but this."""
        both = {"If-None-Match": self.etag, "If-Modified-Since": self.modified}
        return {name: value for name, value in both.items() if value}


class Download(msgspec.Struct, frozen=True):
    """An image file's bytes; without a version they cannot be asked about again."""

    content: bytes
    version: Version | None = None
