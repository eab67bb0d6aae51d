"""What every request and every answer gets, whatever the route: an id, headers, a count."""

import re
import time
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, TypeAlias

import structlog
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send

from sidetone.runtime.clock import Clock
from sidetone.runtime.metrics import HttpMetrics
from sidetone.telemetry import tracing

if TYPE_CHECKING:
    from opentelemetry.trace import Span

_BUG = 500
# An id that a proxy or a client chose, so that its logs and ours meet.
_REQUEST_ID = re.compile(rb"[A-Za-z0-9_-]{8,64}")
Headers: TypeAlias = tuple[tuple[bytes, bytes], ...]

_HEADERS: Headers = (
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
)
_TLS_HEADERS: Headers = (*_HEADERS, (b"strict-transport-security", b"max-age=31536000"))


class Manners:
    """The outermost layer of an application.

    HEAD is answered as GET without the body. A header that a route sets itself stays as it is.
    """

    def __init__(self, app: ASGIApp, clock: Clock) -> None:
        self._app = app
        self._clock = clock
        self._metrics = HttpMetrics()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        request_id = _given_id(scope) or str(self._clock.new_id()).encode()
        own = _TLS_HEADERS if scope["scheme"] == "https" else _HEADERS
        method = scope["method"]
        if method == "HEAD":
            # The server knows what was asked, and leaves out the body by itself.
            scope = {**scope, "method": "GET"}
        status = _BUG

        async def send_politely(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = _polite(message["headers"], own, request_id)
            await send(message)

        tokens = structlog.contextvars.bind_contextvars(request=request_id.decode())
        try:
            with tracing.trace(method, _header(scope, b"traceparent").decode("latin-1")) as span:
                await self._app(scope, receive, send_politely)
                if span is not None:
                    _describe(span, method, _route(scope), status)
        finally:
            structlog.contextvars.reset_contextvars(**tokens)
        self._metrics.count(method, _route(scope), status, time.perf_counter() - started)


def _route(scope: Mapping[str, object]) -> str | None:
    """Return the template of the path, once the routing has found it."""
    route = scope.get("path_template")
    return route if isinstance(route, str) else None


def _describe(span: "Span", method: str, route: str | None, status: int) -> None:
    """Name the span of a request as OpenTelemetry's conventions for HTTP do."""
    span.set_attributes({"http.request.method": method, "http.response.status_code": status})
    if route is not None:
        span.set_attribute("http.route", route)
        span.update_name(f"{method} {route}")


def _given_id(scope: HTTPScope) -> bytes | None:
    value = _header(scope, b"x-request-id")
    return value if _REQUEST_ID.fullmatch(value) else None


def _header(scope: HTTPScope, wanted: bytes) -> bytes:
    for name, value in scope["headers"]:
        if name == wanted:
            return value
    return b""


def _polite(
    headers: Iterable[tuple[bytes, bytes]], own: Headers, request_id: bytes
) -> list[tuple[bytes, bytes]]:
    given = list(headers)
    set_by_route = {name.lower() for name, _ in given}
    missing = [header for header in own if header[0] not in set_by_route]
    return [*given, *missing, (b"x-request-id", request_id)]
