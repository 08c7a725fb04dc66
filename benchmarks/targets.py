"""What the numbers of one run should be, as ratios to others of the same run."""

from dataclasses import dataclass

from benchmarks.background import CRAWL_KNOWN, OPENED, OPENED_NEXT
from benchmarks.cast import CROWDS, USUAL
from benchmarks.crowd import crowd_of
from benchmarks.samples import Results, median, paired
from benchmarks.scenarios import FIRST, WARM, WITH_MASKS, WITHOUT_MASKS

_WARM = {"0.3 MP": 0.55, "2 MP": 0.55, "12 MP": 0.85}


@dataclass(frozen=True)
class Target:
    """A number, and the most (or the least) that it should be; NaN, which is never met, where it was not measured."""

    name: str
    measured: float
    bound: float
    at_least: bool = False

    @property
    def is_met(self) -> bool:
        """Whether the number is within its bound."""
        return self.measured >= self.bound if self.at_least else self.measured <= self.bound


def targets(results: Results, backend: str) -> list[Target]:
    """All targets for one backend."""
    crowd = results.summary(crowd_of(max(CROWDS)), backend)
    opened = paired(results.of(OPENED, backend), results.of(OPENED_NEXT, backend))
    masks = paired(results.of(WITH_MASKS, backend), results.of(WITHOUT_MASKS, backend))
    crawl, first = results.summary(CRAWL_KNOWN, backend), results.summary(FIRST.format(USUAL), backend)
    return [
        *(
            Target(f"warm click over the floor, {size}", results.summary(WARM.format(size), backend).to_floor, bound)
            for size, bound in _WARM.items()
        ),
        Target("first click on an opened task over the next click", median(one / other for one, other in opened), 1.2),
        Target("click during a crawl, p95, over one encode + decode (a first click)", crawl.p95 / first.p50, 1.0),
        Target("100 masks in the request, ms more", median(one - other for one, other in masks), 5.0),
        Target(f"errors with {max(CROWDS)} annotators", crowd.errors, 0),
        Target(
            f"clicks/s of {max(CROWDS)} annotators over back-to-back runs of the floor",
            crowd.rate_to_floor,
            0.9,
            at_least=True,
        ),
    ]
