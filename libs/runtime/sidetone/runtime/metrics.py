"""What is counted of every HTTP request, and how late the event loop is."""

import asyncio
from typing import Final, NoReturn

from prometheus_client import Counter, Histogram

from sidetone.telemetry.metrics import counter, seconds

REQUESTS: Final = counter(
    "sidetone_http_requests_total", "HTTP requests answered.", "method", "route", "status"
)
REQUEST_SECONDS: Final = seconds(
    "sidetone_http_request_seconds",
    "Time from the first byte of a request to the last of its answer.",
    "route",
)
LOOP_DELAY: Final = seconds(
    "sidetone_loop_delay_seconds", "How late the event loop is for what is due."
)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_LOOKED_EVERY_SECONDS = 1.0


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
        requests = self._counters.get(key)
        if requests is None:
            requests = self._counters[key] = REQUESTS.labels(method, route, str(status))
        requests.inc()
        histogram = self._histograms.get(route)
        if histogram is None:
            histogram = self._histograms[route] = REQUEST_SECONDS.labels(route)
        histogram.observe(seconds)


async def watch_loop() -> NoReturn:
    """Observe every second how late the event loop is."""
    loop = asyncio.get_running_loop()
    while True:
        due_at = loop.time() + _LOOKED_EVERY_SECONDS
        await asyncio.sleep(_LOOKED_EVERY_SECONDS)
        LOOP_DELAY.observe(max(0.0, loop.time() - due_at))
