"""Clients that a server must bear: those that read slowly, hang up midway, or never finish asking."""

import random
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from benchmarks.messages import Task, click
from benchmarks.stand import Stand

_PAUSE = 1.0  # seconds between two of a kind
_SLOW_READ, _SLOW_PAUSE = 512, 0.02  # bytes, seconds

Nuisance = Callable[[tuple[str, int], bytes], None]


def slow_reader(address: tuple[str, int], request: bytes) -> None:
    """Reads its answer a few bytes at a time, through a small window."""
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        client.settimeout(60)
        client.connect(address)
        client.sendall(request)
        while client.recv(_SLOW_READ):
            time.sleep(_SLOW_PAUSE)


def hangs_up(address: tuple[str, int], request: bytes) -> None:
    """Asks, and is gone before the answer."""
    with socket.create_connection(address) as client:
        client.sendall(request)
        time.sleep(random.uniform(0, 0.05))  # noqa: S311 - not a secret


def half_asks(address: tuple[str, int], request: bytes) -> None:
    """Sends half of its request, and is gone."""
    with socket.create_connection(address) as client:
        client.sendall(request[: len(request) // 2])
        time.sleep(0.1)


@contextmanager
def besetting(stand: Stand, task: Task) -> Iterator[None]:
    """The first backend has one client of each kind at a time, again and again, while this lasts."""
    over = threading.Event()

    def pester(nuisance: Nuisance) -> None:
        while not over.wait(_PAUSE):
            try:
                nuisance(stand.backends[0].address, _http(click(task, stand.next_click())))
            except OSError:  # the server may have had enough of it
                continue

    threads = [threading.Thread(target=pester, args=(kind,)) for kind in (slow_reader, hangs_up, half_asks)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()


def _http(body: bytes) -> bytes:
    head = "POST /predict HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nConnection: close\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
