"""Trials that were passed: remembered exactly, and bounded; what cannot be remembered is tried again."""

from pathlib import Path

from server.weights.verified import Verified


def test_a_trial_is_remembered_under_exactly_its_circumstances(tmp_path: Path) -> None:
    Verified(tmp_path / "verified.json").add(["a", "b"])
    verified = Verified(tmp_path / "verified.json")
    assert verified.holds(["a", "b"])
    assert not any(verified.holds(facts) for facts in (["a"], ["b", "a"], ["ab"], ["a", "b", ""], []))
    assert [path.name for path in tmp_path.iterdir()] == ["verified.json"]


def test_the_last_16_trials_are_remembered(tmp_path: Path) -> None:
    verified = Verified(tmp_path / "verified.json")
    for number in (*range(16), 0, 16):
        verified.add([str(number)])
    assert [number for number in range(17) if not verified.holds([str(number)])] == [1]


def test_a_folder_that_cannot_be_written_to_is_no_error(tmp_path: Path) -> None:
    verified = Verified(tmp_path / "missing" / "verified.json")
    verified.add(["a"])
    assert not verified.holds(["a"])
