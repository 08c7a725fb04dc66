"""What Prometheus is told."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, Gauge, Histogram, generate_latest

_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Metrics:
    """Histograms of requests and of their stages, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Histogram(
            "samserve_predict_seconds",
            "Seconds from a parsed /predict to its answer, by kind of request and outcome",
            ("kind", "outcome"),
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self._stages = Histogram(
            "samserve_stage_seconds",
            "Seconds by stage of a request",
            ("stage",),
            buckets=_BUCKETS,
            registry=self.registry,
        )

    def placed(self, nodes: Mapping[str, Mapping[str, int]]) -> None:
        """How many nodes of each graph each execution provider runs."""
        gauge = Gauge(
            "samserve_graph_nodes", "Nodes of a graph, by what runs them", ("graph", "provider"), registry=self.registry
        )
        for graph, counts in nodes.items():
            for provider, count in counts.items():
                gauge.labels(graph, provider).set(count)

    @contextmanager
    def predict(self, kind: str, stages: Mapping[str, float]) -> Iterator[None]:
        """Observes what runs inside as one /predict (kind: click or opened) of these stages."""
        started, outcome = time.perf_counter(), "answered"
        try:
            yield
        except Exception as error:
            outcome = type(error).__name__
            raise
        finally:
            self._requests.labels(kind, outcome).observe(time.perf_counter() - started)
            self.stages(stages)

    def stages(self, seconds: Mapping[str, float]) -> None:
        """The stages of one request or one background encode."""
        for name, duration in dict(seconds).items():  # a thread may still add to them
            self._stages.labels(name).observe(duration)

    def exposition(self) -> bytes:
        """Everything in Prometheus' text format."""
        return generate_latest(self.registry)
