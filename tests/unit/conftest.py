"""What tests of the service share."""

from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor

import pytest


@pytest.fixture
def encoder() -> Iterator[Executor]:
    """The one thread that encodes."""
    with ThreadPoolExecutor(1) as executor:
        yield executor
