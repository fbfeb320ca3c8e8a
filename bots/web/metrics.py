"""What the site counts for Prometheus. Routes are labels, people never are."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest


class Metrics:
    """The counters of one site, in a registry to which others may add theirs."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self._registry = registry or CollectorRegistry()
        self._requests = Counter(
            "kinora_http_requests",
            "Answered requests.",
            ("method", "route", "status"),
            registry=self._registry,
        )
        self._seconds = Histogram(
            "kinora_http_request_seconds",
            "Seconds from a request's head to its answer; streams are left out.",
            ("method", "route"),
            registry=self._registry,
        )
        self.streams = Gauge("kinora_http_streams", "Open event streams.", registry=self._registry)

    def answered(self, method: str, route: str, status: int, seconds: float | None) -> None:
        self._requests.labels(method, route, str(status)).inc()
        if seconds is not None:
            self._seconds.labels(method, route).observe(seconds)

    def text(self) -> bytes:
        return generate_latest(self._registry)
