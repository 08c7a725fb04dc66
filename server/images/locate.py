"""From the reference in a task to one absolute URI, which says who fetches it."""

import base64
from dataclasses import dataclass
from urllib.parse import urlsplit

from server.core.reference import ImageReference
from server.errors import ImageRefused
from server.images.studio_files import is_studio_file
from server.images.url import origin, redacted, with_login

_BUCKETS = ("s3", "gs", "azure-blob")
_LOCAL_FILES = "/data/local-files"


@dataclass(frozen=True, slots=True)
class Locator:
    """What is known of this installation.

    Attributes:
        label_studio_url: where it is reached from here.
        buckets: those read directly.
        has_local_files: whether its local files are mounted here.
        label_studio_host: what it writes into tasks' URLs instead of `label_studio_url`.
    """

    label_studio_url: str = ""
    buckets: tuple[str, ...] = ()
    has_local_files: bool = False
    label_studio_host: str = ""

    def locate(self, reference: ImageReference) -> str:
        """The absolute URI of a reference; a local file that only the mount can give has a path alone.

        Raises:
            ImageRefused: no rule fetches such a reference.
        """
        value = reference.value
        scheme = value.partition(":")[0].lower()
        if scheme == "data":
            return value
        if scheme in ("http", "https"):
            url = self._reachable(value)
            return with_login(url, reference.login) if reference.login and not self._is_own(url) else url
        if scheme in _BUCKETS:
            return self._in_bucket(reference)
        return self._in_label_studio(reference)

    def is_local_file(self, uri: str) -> bool:
        """Whether a located URI names one of Label Studio's local files."""
        return uri.startswith((_LOCAL_FILES, self.label_studio_url.rstrip("/") + _LOCAL_FILES))

    def bucket_of(self, uri: str) -> str | None:
        """The bucket, read directly, that a URI is in."""
        return next((bucket for bucket in self.buckets if uri.startswith(f"{bucket}/")), None)

    def _in_label_studio(self, reference: ImageReference) -> str:
        path = self._own_path(reference.value)
        if not is_studio_file(path.partition("?")[0].partition("#")[0]):
            raise ImageRefused(f"{_named(reference)} is not fetched: {_expected(reference.value)}")
        if self.label_studio_url:
            return self.label_studio_url.rstrip("/") + path
        if self.has_local_files and path.startswith(_LOCAL_FILES):
            return path
        raise ImageRefused(
            f"{_named(reference)} is kept by Label Studio: set LABEL_STUDIO_URL and LABEL_STUDIO_API_KEY so that it "
            f"can be fetched"
        )

    def _reachable(self, url: str) -> str:
        host = self.label_studio_host.rstrip("/")
        if not (host and self.label_studio_url and url.startswith(f"{host}/")):
            return url
        return self.label_studio_url.rstrip("/") + url.removeprefix(host)

    def _is_own(self, url: str) -> bool:
        try:
            return bool(self.label_studio_url) and origin(url) == origin(self.label_studio_url)
        except ValueError:  # malformed; fetching it says so
            return True

    def _own_path(self, value: str) -> str:
        """A path of Label Studio's below its URL, which may have a path itself."""
        below = urlsplit(self.label_studio_url).path.rstrip("/")
        path = value.removeprefix(below) if value.startswith(f"{below}/") else value
        if path.startswith(("upload/", "storage-data/")):
            path = f"/{path}"
        return f"/data{path}" if path.startswith("/upload/") else path

    def _in_bucket(self, reference: ImageReference) -> str:
        if self.bucket_of(reference.value):
            return reference.value
        bucket = "/".join(redacted(reference.value).split("/", 3)[:3])
        if not self.label_studio_url:
            raise ImageRefused(
                f"{_named(reference)} is in a bucket: set LABEL_STUDIO_URL and LABEL_STUDIO_API_KEY to fetch it "
                f"through Label Studio, or SAMSERVE_BUCKETS={bucket} to read it with this machine's own credentials"
            )
        if not reference.task.isdecimal():
            raise ImageRefused(
                f"{_named(reference)} is in a bucket, for which Label Studio needs the task's id; to read the bucket "
                f"with this machine's own credentials instead, set SAMSERVE_BUCKETS={bucket}"
            )
        uri = base64.urlsafe_b64encode(reference.value.encode()).decode()
        return f"{self.label_studio_url.rstrip('/')}/tasks/{reference.task}/presign/?fileuri={uri}"


def _named(reference: ImageReference) -> str:
    return f"task {reference.task}: its image {redacted(reference.value)[:200]!r}"


def _expected(value: str) -> str:
    if value.lower().startswith(("file:", "/")):
        return (
            "files are read only as /data/local-files/?d=PATH, from Label Studio or below "
            "LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT; uploads are /data/upload/..."
        )
    return (
        "expected an http(s) URL, a data: URI, an object in a bucket (s3://, gs://, azure-blob://), or a file of Label "
        "Studio's (/data/upload/..., /data/local-files/?d=...)"
    )
