"""A crawl that is interrupted or killed, in a process of its own, and the one that goes on."""

import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from server.cache.codec import decode
from tests.conftest import png
from tests.waiting import eventually

IMAGES = 12


class Desk:
    """Pictures, a place for their embeddings, and the command that makes these."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.log, self.embeddings = folder, folder / "log", folder / "cache" / "embeddings"
        for name in ("graphs", "photos"):
            (folder / name).mkdir()
        for number in range(IMAGES):
            (folder / "photos" / f"{number:02}.png").write_bytes(png(30, 40, seed=number))

    def start(self, seconds: float) -> subprocess.Popen[str]:
        """The command, which takes so long for each image."""
        words = ["precompute", "--images", str(self.folder / "photos")]
        script = [sys.executable, "-m", "tests.crawler", str(self.folder / "graphs"), str(self.log), str(seconds)]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("SAMSERVE_")}
        environment["SAMSERVE_CACHE_DIR"] = str(self.folder / "cache")
        return subprocess.Popen(
            script + words, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def stop(self, process: subprocess.Popen[str], signal_number: int) -> str:
        """What the command says when it gets a signal in the middle."""
        assert eventually(lambda: len(self.kept()) >= 3, seconds=60)
        process.send_signal(signal_number)
        out, err = process.communicate(timeout=60)
        assert 3 <= len(self.kept()) < IMAGES
        assert "Traceback" not in err
        return out

    def kept(self) -> list[Path]:
        return list(self.embeddings.glob("*.embedding"))

    def encoded(self) -> list[str]:
        """What was encoded, in order, by all processes."""
        return self.log.read_text().split()


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def whole(desk: Desk) -> int:
    """How many embeddings are kept; a damaged one fails here."""
    return len({decode(path.read_bytes())[0] for path in desk.kept()})


def test_an_interrupted_crawl_says_how_far_it_got_and_the_next_one_goes_on(desk: Desk) -> None:
    with desk.start(seconds=0.1) as process:
        out = desk.stop(process, signal.SIGINT)
    assert process.returncode == 130
    assert f" of {IMAGES} images in " in out
    assert out.endswith("Interrupted. What is encoded is kept: run it again to go on.\n")
    kept = whole(desk)
    with desk.start(seconds=0) as process:
        out, _ = process.communicate(timeout=60)
    assert (process.returncode, whole(desk)) == (0, IMAGES)
    assert f"{IMAGES - kept} images encoded, {kept} already there, 0 failed" in out


def test_after_a_kill_minus_9_during_a_crawl_nothing_kept_is_encoded_again_and_nothing_is_corrupt(desk: Desk) -> None:
    with desk.start(seconds=0.1) as process:
        desk.stop(process, signal.SIGKILL)
    kept = whole(desk)
    before = desk.encoded()
    with desk.start(seconds=0) as process:
        out, _ = process.communicate(timeout=60)
    assert (process.returncode, whole(desk)) == (0, IMAGES)
    assert f"{IMAGES - kept} images encoded, {kept} already there, 0 failed" in out
    again = [image for image, times in Counter(desk.encoded()).items() if times > 1]
    assert len(again) == len(before) - kept <= 2  # what was encoded, but not written yet, when it was killed


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs Linux's /proc")
def test_a_crawl_and_the_threads_it_starts_let_a_server_go_first(desk: Desk) -> None:
    with desk.start(seconds=0.1) as process:
        assert eventually(lambda: len(desk.kept()) >= 3, seconds=60)
        threads = [int(thread.name) for thread in Path(f"/proc/{process.pid}/task").iterdir()]
        levels = [os.getpriority(os.PRIO_PROCESS, thread) for thread in threads]
        assert os.getpriority(os.PRIO_PROCESS, process.pid) == 10
        assert levels.count(10) >= 4  # itself, and those that encode, read and write; numpy's own came earlier
        process.kill()


def test_two_crawls_at_once_share_a_folder(desk: Desk) -> None:
    with desk.start(seconds=0.02) as first, desk.start(seconds=0.02) as second:
        first.communicate(timeout=60)
        second.communicate(timeout=60)
    assert (first.returncode, second.returncode, whole(desk)) == (0, 0, IMAGES)
