"""Where the background work stands, for Prometheus."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from operator import attrgetter

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from server.core.tier_counts import TierCounts
from server.service.standing import Lane, Standing


@dataclass(frozen=True, slots=True)
class _Shown:
    """How one number of a lane or of a tier is shown."""

    field: str
    name: str
    help: str
    kind: type[CounterMetricFamily] | type[GaugeMetricFamily]


_LANES = (
    _Shown("backlog", "backlog_images", "Images that wait to be fetched in advance", GaugeMetricFamily),
    _Shown("dropped", "backlog_dropped", "Images given up as too many waited to be fetched", CounterMetricFamily),
    _Shown("queue", "queue_images", "Images that wait for the encoder", GaugeMetricFamily),
    _Shown("refused", "queue_refused", "Images sent away as too many waited for the encoder", CounterMetricFamily),
)
_TIERS = (
    _Shown("hits", "cache_hits", "Embeddings looked up and found", CounterMetricFamily),
    _Shown("misses", "cache_misses", "Embeddings looked up and not found", CounterMetricFamily),
    _Shown("bytes", "cache_bytes", "Bytes of embeddings held", GaugeMetricFamily),
    _Shown("dropped_writes", "cache_dropped_writes", "Embeddings not written as too many waited", CounterMetricFamily),
    _Shown("failures", "cache_failures", "Reads and writes that the file system refused", CounterMetricFamily),
    _Shown("damaged", "cache_damaged", "Files that were not what had been written", CounterMetricFamily),
)


class BackgroundGauges(Collector):
    """Asks `standing` at each scrape."""

    def __init__(self, standing: Callable[[], Standing]) -> None:
        self._standing = standing

    def collect(self) -> Iterator[Metric]:
        """All numbers, by priority or by tier."""
        standing = self._standing()
        text = "Images encoded in advance, those that were already kept counted too"
        yield CounterMetricFamily("samserve_precompute_done", text, standing.done)
        yield CounterMetricFamily("samserve_precompute_failed", "Images that cannot be", standing.failed)
        for shown in _LANES:
            yield _family(shown, "priority", standing.lanes)
        for shown in _TIERS:
            yield _family(shown, "tier", {tier.tier: tier for tier in standing.tiers})


def _family(shown: _Shown, label: str, rows: Mapping[str, Lane] | Mapping[str, TierCounts]) -> Metric:
    family = shown.kind(f"samserve_{shown.name}", shown.help, labels=[label])
    for name, row in rows.items():
        value = attrgetter(shown.field)(row)
        if value is not None:
            family.add_metric([name], value)
    return family
