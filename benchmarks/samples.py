"""What was measured, and its statistics."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from benchmarks.overlap import RIGHT


@dataclass(frozen=True)
class Sample:
    """One answered, or unanswered, click."""

    scenario: str
    backend: str
    ms: float
    floor_ms: float  # of the floor's run next to it
    status: int = 200
    overlap: float = 1.0
    size: int = 0  # of the answer, in bytes
    stages: dict[str, float] = field(default_factory=dict)

    @property
    def is_wrong(self) -> bool:
        """Answered, but not with the object's mask."""
        return self.status == 200 and self.overlap < RIGHT


@dataclass(frozen=True)
class Burst:
    """Clicks of several annotators at once: how many were answered each second."""

    scenario: str
    backend: str
    rate: float
    floor_ms: float


@dataclass(frozen=True)
class Summary:
    """A scenario in numbers: latencies in ms of the answered clicks, NaN where there are none."""

    scenario: str
    clicks: int
    errors: int
    wrong: int
    p50: float
    p95: float
    to_floor: float
    overlap: float  # the least
    kib: float
    rate: float  # clicks each second; NaN unless it is a burst
    rate_to_floor: float  # of what back-to-back runs of the floor would allow
    stages: dict[str, float]  # mean ms; "other" is what the backend does not account for


class Results:
    """All samples of a run, in the order of their making."""

    def __init__(self) -> None:
        self.samples: list[Sample] = []
        self.bursts: list[Burst] = []

    @property
    def floor_ms(self) -> float:
        """Of all its runs; several clicks may share one."""
        return median({sample.floor_ms for sample in self.samples})

    def of(self, scenario: str, backend: str) -> list[Sample]:
        """The samples of one scenario at one backend."""
        return [sample for sample in self.samples if (sample.scenario, sample.backend) == (scenario, backend)]

    def scenarios(self) -> list[str]:
        """Their names, without duplicates."""
        return list(dict.fromkeys(sample.scenario for sample in self.samples))

    def summary(self, scenario: str, backend: str) -> Summary:
        """One scenario at one backend."""
        bursts = [burst for burst in self.bursts if (burst.scenario, burst.backend) == (scenario, backend)]
        return summarized(scenario, self.of(scenario, backend), bursts)


def summarized(scenario: str, samples: Sequence[Sample], bursts: Sequence[Burst] = ()) -> Summary:
    """The numbers of one scenario's samples."""
    answered = [sample for sample in samples if sample.status == 200]
    return Summary(
        scenario=scenario,
        clicks=len(samples),
        errors=len(samples) - len(answered),
        wrong=sum(sample.is_wrong for sample in answered),
        p50=percentile([sample.ms for sample in answered], 50),
        p95=percentile([sample.ms for sample in answered], 95),
        to_floor=median(sample.ms / sample.floor_ms for sample in answered),
        overlap=min((sample.overlap for sample in answered), default=float("nan")),
        kib=median(sample.size / 1024 for sample in answered),
        rate=median(burst.rate for burst in bursts),
        rate_to_floor=median(burst.rate * burst.floor_ms / 1e3 for burst in bursts),
        stages=mean_stages(answered),
    )


def mean_stages(samples: Sequence[Sample]) -> dict[str, float]:
    """Mean ms by stage; empty unless the backend tells its stages."""
    told = [sample for sample in samples if sample.stages]
    if not told:
        return {}
    names = dict.fromkeys(name for sample in told for name in sample.stages)
    means = {name: sum(sample.stages.get(name, 0.0) for sample in told) / len(told) for name in names}
    return means | {"other": sum(sample.ms for sample in told) / len(told) - sum(means.values())}


def paired(later: Sequence[Sample], earlier: Sequence[Sample]) -> list[tuple[float, float]]:
    """ms of the pairs, made one right after the other, of which both were answered."""
    pairs = zip(later, earlier, strict=False)
    return [(one.ms, other.ms) for one, other in pairs if one.status == other.status == 200]


def percentile(values: Sequence[float], share: float) -> float:
    """NaN when there are none."""
    return float(np.percentile(values, share)) if len(values) else float("nan")


def median(values: Iterable[float]) -> float:
    """NaN when there are none."""
    return percentile(list(values), 50)
