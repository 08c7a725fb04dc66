import contextlib
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from server.cache.disk import DiskCache
from server.core.embedding import EmbeddingKey
from tests.unit.embeddings import embedding, key, number_of

ROOMY = 1 << 30


def held(cache: DiskCache, names: str) -> str:
    return "".join(name for name in names if cache.get(key(name)) is not None)


def files(folder: Path) -> list[Path]:
    return sorted(folder.iterdir())


def total(folder: Path) -> int:
    return sum(path.stat().st_size for path in files(folder))


def time_passes(folder: Path, seconds: float = 10.0) -> None:
    for path in files(folder):
        os.utime(path, (0, path.stat().st_mtime - seconds))


def filled(folder: Path, max_bytes: int, names: str) -> DiskCache:
    """Each name's embedding takes a file of some 10,000 bytes."""
    cache = DiskCache(folder, max_bytes)
    for name in names:
        cache.put(key(name), embedding(ord(name), 9_800))
        time_passes(folder)
    return cache


def test_what_was_put_is_found_again_also_by_the_next_process(tmp_path: Path) -> None:
    filled(tmp_path / "new" / "folder", ROOMY, "a")
    cache = DiskCache(tmp_path / "new" / "folder", ROOMY)
    assert number_of(cache.get(key("a"))) == ord("a")
    assert cache.get(key("b")) is None
    assert (cache.damaged, cache.failures) == (0, 0)


def test_nothing_is_found_before_anything_was_put(tmp_path: Path) -> None:
    cache = DiskCache(tmp_path / "folder", ROOMY)
    assert (cache.get(key("a")), cache.failures, list(tmp_path.iterdir())) == (None, 0, [])


@pytest.mark.parametrize(
    "other", [EmbeddingKey("x", "e", "p"), EmbeddingKey("i", "x", "p"), EmbeddingKey("i", "e", "x")], ids=str
)
def test_keys_differ_by_image_encoder_and_preprocessing(tmp_path: Path, other: EmbeddingKey) -> None:
    cache = DiskCache(tmp_path, ROOMY)
    cache.put(EmbeddingKey("i", "e", "p"), embedding(1))
    assert cache.get(other) is None
    cache.put(other, embedding(2))
    assert (number_of(cache.get(EmbeddingKey("i", "e", "p"))), number_of(cache.get(other))) == (1, 2)


def test_an_embedding_put_again_replaces_the_one_before(tmp_path: Path) -> None:
    cache = filled(tmp_path, ROOMY, "a")
    cache.put(key("a"), embedding(5))
    assert (number_of(cache.get(key("a"))), len(files(tmp_path))) == (5, 1)


def test_a_file_under_another_embeddings_name_is_not_taken_for_it(tmp_path: Path) -> None:
    cache = filled(tmp_path, ROOMY, "a")
    (a,) = files(tmp_path)
    filled(tmp_path, ROOMY, "b")
    (b,) = (path for path in files(tmp_path) if path != a)
    a.rename(b)
    assert held(cache, "ab") == ""
    cache.put(key("b"), embedding(2))
    assert number_of(cache.get(key("b"))) == 2


@pytest.mark.parametrize("kept", [0, 5, 100, 5000, -1])
def test_a_file_that_is_cut_short_is_a_miss_told_and_deleted(tmp_path: Path, kept: int) -> None:
    cache = filled(tmp_path, ROOMY, "a")
    (path,) = files(tmp_path)
    path.write_bytes(path.read_bytes()[:kept])
    with capture_logs() as logs:
        assert [cache.get(key("a")), cache.get(key("a"))] == [None, None]
    assert [(line["event"], line["file"]) for line in logs] == [("embedding_damaged", str(path))]
    assert (cache.damaged, cache.failures, files(tmp_path)) == (1, 0, [])
    cache.put(key("a"), embedding(7))
    assert number_of(cache.get(key("a"))) == 7


def test_the_least_recently_used_go_first_and_everything_fits(tmp_path: Path) -> None:
    cache = filled(tmp_path, 50_000, "abc")
    assert number_of(cache.get(key("a"))) == ord("a")
    time_passes(tmp_path)
    cache.put(key("d"), embedding(4, 9_800))
    time_passes(tmp_path)
    cache.put(key("e"), embedding(5, 9_800))
    assert held(cache, "abcde") == "acde"
    assert total(tmp_path) <= 50_000


def test_what_is_asked_for_goes_no_sooner_than_what_is_read(tmp_path: Path) -> None:
    cache = filled(tmp_path, 60_000, "abcd")
    assert (cache.has(key("a")), cache.has(key("x"))) == (True, False)
    cache = filled(tmp_path, 60_000, "efg")
    assert held(cache, "ab") == "a"


def test_two_processes_that_write_in_turns_stay_within_one_bound(tmp_path: Path) -> None:
    dice = random.Random(1)
    processes = [DiskCache(tmp_path, 100_000) for _ in range(2)]
    largest = 0
    for number in range(300):
        dice.choice(processes).put(key(str(number)), embedding(number, dice.choice([500, 3_000])))
        largest = max(largest, total(tmp_path))
    assert 85_000 < largest <= 100_000


def test_a_bound_that_was_lowered_holds_from_the_first_write_on(tmp_path: Path) -> None:
    filled(tmp_path, ROOMY, "abcdefgh")
    cache = DiskCache(tmp_path, 50_000)
    cache.put(key("i"), embedding(9, 9_800))
    assert held(cache, "abcdefghi") == "fghi"


def test_an_embedding_larger_than_half_the_bound_is_not_kept_and_drops_no_other(tmp_path: Path) -> None:
    cache = filled(tmp_path, 30_000, "a")
    cache.put(key("b"), embedding(2, 15_000))
    assert held(cache, "ab") == "a"


def test_a_crashs_leftovers_are_deleted_once_old_and_strangers_files_never(tmp_path: Path) -> None:
    for name in ("old.incoming", "new.incoming", "notes.txt"):
        (tmp_path / name).write_bytes(bytes(50_000))
    os.utime(tmp_path / "old.incoming", (0, time.time() - 7200))
    os.utime(tmp_path / "notes.txt", (0, 0))
    filled(tmp_path, 30_000, "a")
    assert [path.name for path in files(tmp_path) if path.suffix != ".embedding"] == ["new.incoming", "notes.txt"]


def test_a_folder_that_cannot_be_written_costs_the_embeddings_and_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    cache = DiskCache(tmp_path / "file", ROOMY)
    with capture_logs() as logs:
        for number in range(3):
            cache.put(key(str(number)), embedding(number))
            assert cache.get(key(str(number))) is None
    assert [(line["event"], line["folder"]) for line in logs] == [("embedding_not_written", str(tmp_path / "file"))]
    assert cache.failures == 6


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 256 KiB."""
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(tmp_path)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only root can mount a small file system")
    yield tmp_path
    subprocess.run(["umount", str(tmp_path)], check=True)


def test_on_a_disk_smaller_than_the_bound_the_least_recently_used_go_first(small_disk: Path) -> None:
    cache = DiskCache(small_disk, ROOMY)
    with capture_logs() as logs:
        for number in range(60):
            cache.put(key(str(number)), embedding(number, 20_000))
            time_passes(small_disk)
    kept = [number for number in range(60) if number_of(cache.get(key(str(number)))) == number]
    assert 6 <= len(kept) <= 12
    assert min(kept) > 60 - 20
    assert 1 < cache.failures < 20
    assert [(line["event"], "space" in line["reason"]) for line in logs] == [("embedding_not_written", True)]
    assert (cache.damaged, len(files(small_disk))) == (0, len(kept))


def test_a_disk_that_others_filled_costs_embeddings_until_there_is_space_again(small_disk: Path) -> None:
    cache = filled(small_disk, ROOMY, "a")
    with contextlib.suppress(OSError):
        (small_disk / "video").write_bytes(bytes(1 << 20))
    for name in "bcd":
        cache.put(key(name), embedding(ord(name), 60_000))
    assert (held(cache, "abcd"), cache.failures, cache.damaged) == ("", 3, 0)
    (small_disk / "video").unlink()
    cache.put(key("e"), embedding(5, 60_000))
    assert held(cache, "abcde") == "e"


def keeper(folder: Path, max_bytes: int, count: int, largest_file: int = 0) -> subprocess.Popen[str]:
    words = [sys.executable, "-m", "tests.unit.keeper", folder, max_bytes, count, largest_file]
    return subprocess.Popen([str(word) for word in words], stdout=subprocess.PIPE, text=True)


def test_a_write_that_is_cut_off_leaves_nothing_behind(tmp_path: Path) -> None:
    with keeper(tmp_path, ROOMY, 3, largest_file=20_000) as process:
        output, _ = process.communicate(timeout=60)
    assert output.splitlines()[-1] == "3"
    assert files(tmp_path) == []


def test_nothing_is_corrupt_after_writers_were_killed(tmp_path: Path) -> None:
    dice = random.Random(1)
    for _ in range(6):
        with keeper(tmp_path, 2_000_000, 1_000_000) as process:
            assert process.stdout
            assert process.stdout.readline() == "begun\n"
            time.sleep(dice.uniform(0, 0.1))
            process.kill()
    cache, numbers = DiskCache(tmp_path, 2_000_000), range(10_000)
    found = [number_of(cache.get(key(str(number)))) == number for number in numbers]
    assert (sum(found), cache.damaged) == (len([path for path in files(tmp_path) if path.suffix == ".embedding"]), 0)
    assert any(found)


def test_two_processes_at_once_share_a_folder(tmp_path: Path) -> None:
    writers = [keeper(tmp_path, 1_000_000, 300) for _ in range(2)]
    cache = DiskCache(tmp_path, 1_000_000)
    while any(writer.poll() is None for writer in writers):
        for number in range(300):
            assert number_of(cache.get(key(str(number)))) in (None, number)
    assert [writer.communicate()[0].split() for writer in writers] == [["begun", "0"]] * 2
    assert (cache.damaged, cache.failures) == (0, 0)
    assert 0 < total(tmp_path) <= 1_000_000
