"""What was found to work on this machine, so that the next start need not try it again."""

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

_MOST = 16  # trials remembered: several versions and settings may take turns on one folder


class Verified:
    """A file of trials that were passed, each known by all that its outcome depends on.

    A file that is damaged, or cannot be written, costs another trial and nothing else.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def holds(self, facts: Sequence[str]) -> bool:
        """Whether a trial under exactly these circumstances was passed."""
        return _fingerprint(facts) in self._read()

    def add(self, facts: Sequence[str]) -> None:
        """A trial under these circumstances was passed."""
        fingerprint = _fingerprint(facts)
        passed = [*(known for known in self._read() if known != fingerprint), fingerprint]
        scratch = self._path.with_suffix(".new")
        with suppress(OSError):
            scratch.write_bytes(msgspec.json.encode(passed[-_MOST:]))
            scratch.replace(self._path)

    def _read(self) -> list[str]:
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=list[str])
        except (OSError, msgspec.MsgspecError):
            return []


def _fingerprint(facts: Sequence[str]) -> str:
    return hashlib.sha256(msgspec.json.encode(facts)).hexdigest()
