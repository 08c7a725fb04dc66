"""What a run that had no room took is given back, seen on the CPU's memory."""

from pathlib import Path

import pytest

from server.runtime.memory import DeviceFull
from server.runtime.session import Session
from tests.spreading import spread, spreading

STATM = Path("/proc/self/statm")


def resident() -> int:
    """MiB of this process."""
    return int(STATM.read_text().split()[1]) * 4096 >> 20


@pytest.mark.skipif(not STATM.exists(), reason="only Linux tells how much memory a process has")
def test_what_a_run_without_room_took_is_given_back_after_the_next_one(tmp_path: Path) -> None:
    graph = spreading(tmp_path / "spreading.onnx")
    session = Session(tmp_path / graph.file, graph, threads=1)
    assert spread(session, 1, 1) == 7
    before = resident()
    with pytest.raises(DeviceFull, match=r"spreading\.onnx has no room"):
        spread(session, 48, 1 << 20)  # 192 MiB, then as many TiB
    assert resident() > before + 150
    assert spread(session, 1, 1) == 7
    assert resident() < before + 50
