"""The page of prompts and outputs shows the numbers that tests/weights asserts, with a picture of each prompt."""

import json
import re
from pathlib import Path

import pytest

from server.core.options import OUTPUTS, AnswerOptions

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "prompts-and-outputs.md"
EXPECTED = json.loads((ROOT / "tests" / "weights" / "expected_outputs.json").read_bytes())
PROMPTS = list(EXPECTED)[:-1]  # the last, the human mask itself, is none


def numbers(prompt: str) -> list[str]:
    return [f"{EXPECTED[prompt][output]:.3f}" for output in OUTPUTS]


def table(rows: list[list[str]]) -> str:
    """The first row is the heading."""
    heading, *others = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([heading, "|" + " --- |" * len(rows[0]), *others])


def test_the_page_shows_the_numbers_that_are_asserted() -> None:
    expected = table([["prompt", *OUTPUTS], *([prompt, *numbers(prompt)] for prompt in EXPECTED)])
    assert expected in PAGE.read_text(), f"put this table into {PAGE.name}:\n{expected}"


@pytest.mark.parametrize("prompt", PROMPTS)
def test_the_page_shows_each_prompt_with_its_numbers(prompt: str) -> None:
    (section,) = re.findall(rf"^### {prompt.capitalize()}\n(.+?)^#", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    (picture,) = re.findall(r"\]\((pictures/.+?)\)", section)
    assert (PAGE.parent / picture).is_file()
    expected = table([list(OUTPUTS), numbers(prompt)])
    assert expected in section, f"put this table under {prompt!r} in {PAGE.name}:\n{expected}"


def test_the_page_lists_the_options_with_their_defaults() -> None:
    options = re.findall(r"^\| `(\w+)` \| (\S+) \|", PAGE.read_text(), re.MULTILINE)
    assert {name for name, _ in options} == set(AnswerOptions.__slots__) - {"output"}
    defaults = {name: str(getattr(AnswerOptions(), name)).removesuffix(".0") for name, _ in options}
    assert {name: default.strip("`") for name, default in options} == defaults
