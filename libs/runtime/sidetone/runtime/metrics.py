"""Counters and histograms of this process, in one registry, in the Prometheus text form.

Labels are few and bounded: route templates and status codes, never an id, a name or an address.
"""

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

REGISTRY = CollectorRegistry()

REQUESTS = Counter(
    "sidetone_http_requests_total",
    "HTTP requests answered.",
    ["method", "route", "status"],
    registry=REGISTRY,
)
REQUEST_SECONDS = Histogram(
    "sidetone_http_request_seconds",
    "Time from the first byte of a request to the last of its answer.",
    ["route"],
    registry=REGISTRY,
)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class HttpMetrics:
    """Counts requests; each series is looked up once and then kept, being on every request's way.

    Routes, methods and statuses are few, so what is kept is too.
    """

    def __init__(self) -> None:
        self._counters: dict[tuple[str, str, int], Counter] = {}
        self._histograms: dict[str, Histogram] = {}

    def count(self, method: str, route: str | None, status: int, seconds: float) -> None:
        """Count a request that *route*, a template, answered; None: there was no such path."""
        route = route or "unknown"
        method = method if method in _METHODS else "other"
        key = (method, route, status)
        counter = self._counters.get(key)
        if counter is None:
            counter = self._counters[key] = REQUESTS.labels(method, route, str(status))
        counter.inc()
        histogram = self._histograms.get(route)
        if histogram is None:
            histogram = self._histograms[route] = REQUEST_SECONDS.labels(route)
        histogram.observe(seconds)


def exposition() -> bytes:
    """Return every metric as Prometheus scrapes it."""
    return generate_latest(REGISTRY)
