"""Spans of OpenTelemetry, and nothing at all until somebody says where they go.

The only module that knows OpenTelemetry's interface; ``runtime.traces`` starts its SDK. A trace
begins where a request comes in, so that heartbeats and timers make none. Names and attributes are
those of its semantic conventions; they hold route templates, subjects and counts, never an id of a
member or a text.
"""

from collections.abc import Generator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

if TYPE_CHECKING:
    from opentelemetry.trace import Span, Tracer

Kind: TypeAlias = Literal["server", "client", "producer", "consumer", "internal"]
Attributes: TypeAlias = Mapping[str, str | int]

_NOTHING: Final = nullcontext(None)


class _Tracing:
    """Who makes the spans of this process."""

    tracer: "Tracer | None" = None


def use(tracer: "Tracer | None") -> None:
    """Make spans with *tracer* from now on; None: make none."""
    _Tracing.tracer = tracer


def trace(name: str, parent: str = "") -> "AbstractContextManager[Span | None]":
    """Return the span of a request that came in, in the trace that *parent* tells, if any.

    *parent* is a ``traceparent`` of W3C Trace Context.
    """
    tracer = _Tracing.tracer
    return _NOTHING if tracer is None else _begun(tracer, name, "server", {}, parent)


def span(
    name: str, kind: Kind = "internal", attributes: Attributes | None = None, parent: str = ""
) -> "AbstractContextManager[Span | None]":
    """Return a span within *parent* or the present one; nothing where there is neither."""
    tracer = _Tracing.tracer
    if tracer is None or not (parent or traceparent()):
        return _NOTHING
    return _begun(tracer, name, kind, attributes or {}, parent)


def traceparent() -> str:
    """Return the present span as others can continue it; empty where there is none."""
    if _Tracing.tracer is None:
        return ""
    from opentelemetry.trace.propagation.tracecontext import (  # noqa: PLC0415 - seldom on
        TraceContextTextMapPropagator,
    )

    carrier: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(carrier)
    return carrier.get("traceparent", "")


@contextmanager
def _begun(
    tracer: "Tracer", name: str, kind: Kind, attributes: Attributes, parent: str
) -> "Generator[Span | None]":
    from opentelemetry.trace import SpanKind  # noqa: PLC0415 - as above
    from opentelemetry.trace.propagation.tracecontext import (  # noqa: PLC0415 - as above
        TraceContextTextMapPropagator,
    )

    carried = {"traceparent": parent}
    context = TraceContextTextMapPropagator().extract(carried) if parent else None
    with tracer.start_as_current_span(
        name, context, SpanKind[kind.upper()], dict(attributes)
    ) as begun:
        yield begun
