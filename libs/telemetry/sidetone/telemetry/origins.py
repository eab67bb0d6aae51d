"""What set a piece of work off, carried from one process to the next.

A request's id is bound where the request comes in, and stands in each log line from then on. What
the request announces or asks carries it on; whoever handles that binds it again. The same way go
the traces, while they are on.
"""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Final

import structlog

from sidetone.protocol.events import Origin
from sidetone.telemetry import tracing

REQUEST_HEADER: Final = "Sidetone-Request"
TRACE_HEADER: Final = "traceparent"
_LENGTH_MAX: Final = 64
_NONE: Final = Origin()


def origin_now() -> Origin:
    """Return what the present work comes from; empty for what nobody asked for."""
    request = structlog.contextvars.get_contextvars().get("request")
    traceparent = tracing.traceparent()
    if not isinstance(request, str) and not traceparent:
        return _NONE
    return Origin(request if isinstance(request, str) else "", traceparent)


def published(origin: Origin, what: str) -> Origin:
    """Return *origin* for what it publishes: with the span of that as the trace's last one."""
    if not origin.traceparent:
        return origin
    with tracing.span(f"publish {what}", "producer", parent=origin.traceparent):
        return Origin(origin.request, tracing.traceparent())


@contextmanager
def continued(origin: Origin, name: str, kind: tracing.Kind = "consumer") -> Generator[None]:
    """Do the work of the block as a part of what *origin* tells; *name* is that of its span."""
    with tracing.span(name, kind, parent=origin.traceparent):
        if not origin.request:
            yield
            return
        tokens = structlog.contextvars.bind_contextvars(request=origin.request)
        try:
            yield
        finally:
            structlog.contextvars.reset_contextvars(**tokens)


def headers_of(origin: Origin) -> dict[str, str] | None:
    """Return *origin* as the headers of a message; None where there is nothing to carry."""
    headers: dict[str, str] = {}
    if origin.request:
        headers[REQUEST_HEADER] = origin.request
    if origin.traceparent:
        headers[TRACE_HEADER] = origin.traceparent
    return headers or None


def origin_in(headers: Mapping[str, str] | None) -> Origin:
    """Return what the *headers* of a message carry; what is no id of ours is left out."""
    if not headers:
        return _NONE
    request, traceparent = headers.get(REQUEST_HEADER, ""), headers.get(TRACE_HEADER, "")
    return Origin(request[:_LENGTH_MAX], traceparent[:_LENGTH_MAX])
