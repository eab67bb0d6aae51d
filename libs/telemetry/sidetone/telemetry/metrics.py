"""The metrics of this process, in one registry, in the Prometheus text form.

Names are ``sidetone_<area>_<what>_<unit>`` in base units; counters end in ``_total``. Labels are
few and bounded: route templates, subjects, status codes, never an id, a name or an address of a
member. Where something is counted anyway, a metric reads that when it is scraped, and costs
nothing in between.
"""

from collections.abc import Callable, Iterable
from importlib.metadata import PackageNotFoundError, version
from time import perf_counter, time
from types import TracebackType
from typing import Final
from uuid import UUID

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from typing_extensions import override

REGISTRY: Final = CollectorRegistry()
ProcessCollector(registry=REGISTRY)

_VERSION_OF_TIME: Final = 7
# From a question answered in memory to a request that waits for everything that can be slow.
_SECONDS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


def counter(name: str, text: str, *labels: str) -> Counter:
    """Return a new counter; its *name* ends in ``_total``."""
    return Counter(name, text, labels, registry=REGISTRY)


def gauge(name: str, text: str, *labels: str) -> Gauge:
    """Return a new gauge: what goes up and down."""
    return Gauge(name, text, labels, registry=REGISTRY)


def seconds(name: str, text: str, *labels: str) -> Histogram:
    """Return a new histogram of durations; its *name* ends in ``_seconds``."""
    return Histogram(name, text, labels, registry=REGISTRY, buckets=_SECONDS)


class Read(Collector):
    """Metrics that are read from what a service counts anyway, each time they are scraped.

    One application is read at a time: the one that was built last in this process.
    """

    def __init__(self) -> None:
        self._read: Callable[[], Iterable[Metric]] | None = None
        REGISTRY.register(self)

    def from_(self, read: Callable[[], Iterable[Metric]]) -> None:
        """Read by calling *read* from now on."""
        self._read = read

    @override
    def collect(self) -> Iterable[Metric]:
        return () if self._read is None else self._read()


class Timed:
    """Observes how long its block takes, however it ends."""

    __slots__ = ("_began", "_histogram")

    def __init__(self, histogram: Histogram) -> None:
        self._histogram = histogram
        self._began = 0.0

    def __enter__(self) -> None:
        self._began = perf_counter()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._histogram.observe(perf_counter() - self._began)


_BUILD = gauge("sidetone_build_info", "1; the labels tell what runs here.", "program", "version")


def tell_build(program: str, package: str = "") -> None:
    """Say which *program* this process is, and its version: that of *package*, if it names one."""
    try:
        found = version(f"sidetone-{(package or program).replace('_', '-')}")
    except PackageNotFoundError:
        found = "unknown"
    _BUILD.labels(program, found).set(1)


def age_seconds(made: UUID) -> float:
    """Return how long ago a UUIDv7 was made, 0 for an id that tells no time."""
    if made.version != _VERSION_OF_TIME:
        return 0.0
    return max(0.0, time() - (made.int >> 80) / 1_000)


def exposition() -> bytes:
    """Return every metric as Prometheus scrapes it."""
    return generate_latest(REGISTRY)
