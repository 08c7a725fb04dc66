"""Whether a server passed: its answers, and what it uses."""

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.process import Usage
from benchmarks.samples import Sample, median

GROWTH_MIB = 64.0  # of memory, after the warm-up
DESCRIPTORS = 8  # more than after the warm-up
SLOWDOWN = 2.0  # of the median click, where unpleasant clients are about: they take a part of the machine too


@dataclass(frozen=True)
class Batch:
    """Some clicks, whether unpleasant clients were about, and what the server used afterwards."""

    is_beset: bool
    samples: Sequence[Sample]
    usage: Usage


def faults(batches: Sequence[Batch], settled: Usage) -> list[str]:
    """What was wrong, of the batches after the warm-up; `settled` is the use when all clients have gone for a while."""
    more = settled.descriptors - batches[0].usage.descriptors
    found = {
        f"memory grew by {growth(batches):.0f} MiB, more than {GROWTH_MIB:.0f}": growth(batches) > GROWTH_MIB,
        f"{more} descriptors more stayed open": more > DESCRIPTORS,
        f"clicks took {slowdown(batches):.1f} times as long beside unpleasant clients": slowdown(batches) > SLOWDOWN,
    }
    changed = [fault for fault, is_there in found.items() if is_there]
    return [*wrong_answers([sample for batch in batches for sample in batch.samples]), *changed]


def wrong_answers(samples: Sequence[Sample]) -> list[str]:
    """How many clicks failed, and how many masks were not the object's, if any."""
    errors, wrong = sum(one.status != 200 for one in samples), sum(one.is_wrong for one in samples)
    found = {
        f"{errors} of {len(samples)} clicks failed": errors > 0,
        f"{wrong} of {len(samples)} masks were not the object's": wrong > 0,
    }
    return [fault for fault, is_there in found.items() if is_there]


def growth(batches: Sequence[Batch]) -> float:
    """MiB, from the first fifth of the batches to the last, by their medians."""
    part = max(1, len(batches) // 5)
    return median(one.usage.mib for one in batches[-part:]) - median(one.usage.mib for one in batches[:part])


def slowdown(batches: Sequence[Batch]) -> float:
    """The median click beside unpleasant clients over that without; NaN when one of them was not seen."""
    beset, alone = (
        median(sample.ms for batch in batches if batch.is_beset is is_beset for sample in batch.samples)
        for is_beset in (True, False)
    )
    return beset / alone
