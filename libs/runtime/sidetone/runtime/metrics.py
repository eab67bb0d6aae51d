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


def exposition() -> bytes:
    """Return every metric as Prometheus scrapes it."""
    return generate_latest(REGISTRY)
