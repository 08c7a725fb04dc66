"""How a project wants its answers: the options, and the two ways in which they are spelled."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Any, get_args

from server.core.prompt import Choice
from server.errors import BadOptions

OUTPUTS = ("brush", "bitmask", "polygon", "vector", "ellipse", "rectangle")  # the first that a config has answers
Overrides = tuple[tuple[str, str | float], ...]  # (option, value) pairs, checked


@dataclass(frozen=True, slots=True)
class AnswerOptions:
    """What is done for a mask before it is answered.

    Attributes:
        output: one of OUTPUTS; None takes the first that the labeling config has a control for.
        tolerance: how far, in px, a polygon's or vector's edge may be from the mask's.
        fill_holes: holes of fewer px than this are filled.
        drop_islands: parts of fewer px than this are dropped; the largest part stays.
        keep: "all" parts, or only the "largest".
        smooth: radius in px within which edges are smoothed.
        choose: which mask a single click gets, of those that it may mean: the most stable is "best".
        crop: "auto" looks at small objects on large images in a crop, "off" never does.
    """

    output: str | None = None
    tolerance: float = 1.0
    fill_holes: float = 0.0
    drop_islands: float = 0.0
    keep: str = "all"
    smooth: float = 0.0
    choose: Choice = "best"
    crop: str = "auto"

    def overridden(self, overrides: Overrides) -> "AnswerOptions":
        """These options, with some of them replaced."""
        changes: dict[str, Any] = dict(overrides)
        return replace(self, **changes)


@dataclass(frozen=True, slots=True)
class _Choice:
    accepted: tuple[str, ...]

    def read(self, raw: object) -> str:
        if raw in self.accepted:
            return str(raw)
        raise ValueError(f"expected one of {', '.join(self.accepted)}{_nearest(raw, self.accepted)}")


@dataclass(frozen=True, slots=True)
class _Pixels:
    most: float

    def read(self, raw: object) -> float:
        try:
            number = math.nan if isinstance(raw, bool) else float(raw)  # type: ignore[arg-type]
        except (TypeError, ValueError, OverflowError):
            number = math.nan
        if 0 <= number <= self.most:
            return number
        raise ValueError(f"expected a number of px from 0 to {self.most:,.0f}")


_OPTIONS: dict[str, _Choice | _Pixels] = {
    "output": _Choice(OUTPUTS),
    "tolerance": _Pixels(1000),
    "fill_holes": _Pixels(1_000_000_000),
    "drop_islands": _Pixels(1_000_000_000),
    "keep": _Choice(("all", "largest")),
    "smooth": _Pixels(50),
    "choose": _Choice(get_args(Choice)),
    "crop": _Choice(("auto", "off")),
}
_ATTRIBUTES = {"sam" + name.title().replace("_", ""): name for name in _OPTIONS}  # samFillHoles -> fill_holes


def parse_extra_params(raw: Mapping[str, object]) -> AnswerOptions:
    """The options in a connection's extra params, such as {"output": "polygon", "tolerance": 1.5}.

    Raises:
        BadOptions: an option that does not exist, or a value that it does not take.
    """
    return AnswerOptions().overridden(
        tuple((_known(name, _OPTIONS, "extra_params"), _value(name, name, raw[name], "extra_params")) for name in raw)
    )


def parse_attributes(attributes: Mapping[str, str], control: str) -> Overrides:
    """The options among a control's attributes, such as samTolerance="1.5"; other attributes are skipped.

    Raises:
        BadOptions: an option that does not exist, or a value that it does not take.
    """
    where = f"label_config, control {control!r}"
    ours = [name for name in attributes if _is_ours(name)]
    options = [(_ATTRIBUTES[_known(name, _ATTRIBUTES, where)], name) for name in ours]
    return tuple((option, _value(option, name, attributes[name], where)) for option, name in options)


def _is_ours(attribute: str) -> bool:
    return attribute.startswith("sam") and (
        attribute[3:4].isupper() or attribute.lower() in {known.lower() for known in _ATTRIBUTES}
    )


def _known(name: str, known: Iterable[str], where: str) -> str:
    if name not in known:
        raise BadOptions(f"{where}: there is no option {name!r}; there are {', '.join(known)}{_nearest(name, known)}")
    return name


def _value(option: str, name: str, raw: object, where: str) -> str | float:
    try:
        return _OPTIONS[option].read(raw)
    except ValueError as error:
        raise BadOptions(f"{where}: {name} is {raw!r}; {error}") from None


def _nearest(wrong: object, known: Iterable[str]) -> str:
    lowered = {name.lower(): name for name in known}
    matches = get_close_matches(str(wrong).lower(), lowered, 1)
    return f"; did you mean {lowered[matches[0]]!r}?" if matches else ""
