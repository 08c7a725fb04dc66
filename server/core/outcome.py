"""What came of one gesture."""

from dataclasses import dataclass

from server.core.region import Region


@dataclass(frozen=True, slots=True)
class Outcome:
    """The regions that answer a gesture, or the reason why there are none."""

    regions: tuple[Region, ...] = ()
    nothing: str = ""
