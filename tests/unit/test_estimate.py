"""Whether what would be encoded fits."""

from pathlib import Path

import pytest

from server.estimate import Sample, describe

MIB = 1 << 20


@pytest.mark.parametrize(
    ("fetch", "encode", "time"),
    [(0.1, 0.7, "0:11:40 at most, 0.70 s each"), (2.0, 0.7, "0:16:40 at most, 1.00 s each")],
)
def test_the_slower_of_fetching_two_at_once_and_encoding_sets_the_time(
    tmp_path: Path, fetch: float, encode: float, time: str
) -> None:
    lines = describe(1000, [Sample(fetch, encode, 2 * MIB)] * 2, tmp_path / "not" / "yet", 20)
    assert lines[:2] == ["images  1,000", f"time    {time} (2 timed)"]
    assert lines[2].startswith("disk    1.95 GiB at most, 2.00 MiB each")
    assert len(lines) == 3


@pytest.mark.parametrize(("images", "bound", "fits"), [(460, 1, True), (461, 1, False), (10_000, 20, False)])
def test_more_than_the_bound_on_the_disk_holds_is_warned_about(
    tmp_path: Path, images: int, bound: int, fits: bool
) -> None:
    lines = describe(images, [Sample(0, 1, 2 * MIB)], tmp_path, bound)
    assert any("They do not fit" in line for line in lines) != fits
    if not fits:
        enough = int(lines[3].rpartition("=")[2])
        assert len(describe(images, [Sample(0, 1, 2 * MIB)], tmp_path, enough)) <= len(lines) - 1


def test_more_than_the_disk_has_free_is_warned_about(tmp_path: Path) -> None:
    assert "not so much free space" in describe(10**9, [Sample(0, 1, 2 * MIB)], tmp_path, 10**9)[-1]


def test_without_an_image_that_can_be_had_there_is_no_estimate(tmp_path: Path) -> None:
    assert "nothing to time" in describe(5, [], tmp_path, 20)[-1]
