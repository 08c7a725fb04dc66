"""Which paths of Label Studio's serve images: the only ones of a task's that are asked for with its token."""

import re
from urllib.parse import unquote, urlsplit

from server.images.url import origin

_FILES = re.compile(
    r"/(data/upload|data/local-files|storage-data/uploaded|(tasks|projects)/[0-9]+/(presign|resolve))(/|$)"
)


def is_studio_file(path: str) -> bool:
    """Whether a path, below Label Studio's URL, is one of an image, however a server on the way decodes it."""
    while (plain := unquote(path)) != path:
        path = plain
    return bool(_FILES.match(path)) and not {".", ".."} & set(re.split(r"[/\\]", path))


def is_file_of(studio_url: str, url: str) -> bool:
    """Whether `url` is such a path of the Label Studio at `studio_url`.

    Raises:
        ValueError: a URL is malformed.
    """
    below, path = urlsplit(studio_url).path.rstrip("/"), urlsplit(url).path
    return origin(url) == origin(studio_url) and path.startswith(f"{below}/") and is_studio_file(path[len(below) :])
