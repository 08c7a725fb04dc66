"""What tests of the background work share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.held import HeldModel


@pytest.fixture
def held(tmp_path: Path) -> Iterator[HeldModel]:
    """A model that encodes at once, but when a test holds it up; what has begun goes on at the end."""
    model = HeldModel(tmp_path)
    yield model
    model.go.set()
