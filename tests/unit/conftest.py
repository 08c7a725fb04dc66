"""What tests of the service share."""

from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor

import pytest

Threads = tuple[Executor, Executor]


@pytest.fixture
def encoder() -> Iterator[Executor]:
    """The one thread that encodes."""
    with ThreadPoolExecutor(1) as executor:
        yield executor


@pytest.fixture
def threads(encoder: Executor) -> Iterator[Threads]:
    """The one thread that encodes, and the one that decodes."""
    with ThreadPoolExecutor(1) as decoder:
        yield encoder, decoder
