"""Sends the traces of a process to an OTLP collector, where somebody asked for that.

The SDK of OpenTelemetry is the extra ``traces``; nothing of it is loaded without an endpoint.
"""

from collections.abc import Generator
from contextlib import contextmanager

from sidetone.runtime.start import StartError
from sidetone.telemetry import tracing

NAME = "sidetone"


@contextmanager
def sent_to(endpoint: str, service: str) -> Generator[None]:
    """Trace while the block runs, and send what is left at its end; empty: trace nothing.

    *endpoint* takes OTLP over HTTP: ``http://collector:4318/v1/traces``. Raises ``StartError``
    where the extra is missing.
    """
    if not endpoint:
        yield
        return
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415
            OTLPSpanExporter,
        )
        from opentelemetry.sdk.resources import SERVICE_NAME, Resource  # noqa: PLC0415
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
    except ImportError as error:
        raise StartError(
            f"traces need the extra that sends them ({error.name} is missing); install "
            "sidetone[traces], or leave the endpoint empty"
        ) from None
    provider = TracerProvider(resource=Resource.create({SERVICE_NAME: f"{NAME}-{service}"}))
    # Bounded: what a collector that is away does not take is dropped.
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint)))
    tracing.use(provider.get_tracer(NAME))
    try:
        yield
    finally:
        tracing.use(None)
        provider.shutdown()
