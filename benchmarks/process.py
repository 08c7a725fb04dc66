"""Memory and open descriptors of a server's processes, from Linux's /proc."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_LISTEN = "0A"


class NotSeen(Exception):
    """The server's process cannot be looked at from here."""


@dataclass(frozen=True)
class Usage:
    """Of all processes together: resident memory in MiB, and how many descriptors are open."""

    mib: float
    descriptors: int


def usage(pids: Sequence[int]) -> Usage:
    """What the processes use now.

    Raises:
        NotSeen: one of them has ended, or is someone else's.
    """
    try:
        pages = sum(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in pids)
        descriptors = sum(len(os.listdir(f"/proc/{pid}/fd")) for pid in pids)  # noqa: PTH208 - names are enough
    except OSError as error:
        raise NotSeen(f"cannot look at the server's process: {error}") from None
    return Usage(pages * os.sysconf("SC_PAGE_SIZE") / (1 << 20), descriptors)


def listening(port: int) -> list[int]:
    """The processes that listen on a port, among those whose descriptors may be looked at.

    Raises:
        NotSeen: there is none.
    """
    wanted = {f"socket:[{inode}]" for inode in _inodes(port)}
    found = [int(folder.name) for folder in Path("/proc").glob("[0-9]*") if wanted & _sockets(folder)]
    if not found:
        raise NotSeen(f"no process of yours listens on port {port}; give the server's --pid")
    return found


def _inodes(port: int) -> list[str]:
    tables = [path for path in (Path("/proc/net/tcp"), Path("/proc/net/tcp6")) if path.exists()]
    rows = [line.split() for path in tables for line in path.read_text().splitlines()[1:]]
    return [row[9] for row in rows if row[3] == _LISTEN and int(row[1].rpartition(":")[2], 16) == port]


def _sockets(folder: Path) -> set[str]:
    links = set()
    try:
        for descriptor in (folder / "fd").iterdir():
            links.add(os.readlink(descriptor))  # noqa: PTH115 - these are no paths
    except OSError:  # it ended, or is someone else's
        pass
    return links
