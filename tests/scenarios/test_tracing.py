"""One message, followed from the request that brought it to those who are told."""

from collections.abc import Iterator

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from sidetone.protocol.events import MessageSent
from sidetone.telemetry import tracing
from tests.scenarios.conftest import Cast
from tests.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="module")
ROUTE = "/chat/channels/{channel}/messages"
SENT = {f"POST {ROUTE}", "publish message.sent", "process message.sent", "deliver"}


@pytest.fixture
def spans(cast: Cast) -> Iterator[InMemorySpanExporter]:
    if cast.platform.clock is None:
        pytest.skip("spans of other processes are sent elsewhere")
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracing.use(provider.get_tracer("test"))
    yield exporter
    tracing.use(None)
    provider.shutdown()


def parent_of(span: ReadableSpan, others: list[ReadableSpan]) -> str:
    return next(
        one.name for one in others if span.parent and one.context.span_id == span.parent.span_id
    )


async def test_one_message_is_one_trace(cast: Cast, spans: InMemorySpanExporter) -> None:
    ada, ben = cast.ada, cast.ben
    server = await ada.found()
    await ada.let_in(ben, server)
    text = await ada.place(server, "text")
    async with ben.listening() as ears:
        spans.clear()
        message = await ada.say(text, "Followed all the way")
        await ears.next(MessageSent, lambda told: told.message.id == message.id)

        async def all_there() -> bool:
            return {span.name for span in spans.get_finished_spans()} >= SENT

        await until(all_there)
    found = spans.get_finished_spans()
    (request,) = [span for span in found if span.name == f"POST {ROUTE}"]
    trace = [one for one in found if one.context.trace_id == request.context.trace_id]
    assert {span.name for span in trace} >= SENT
    (published,) = [span for span in trace if span.name == "publish message.sent"]
    (delivered,) = [span for span in trace if span.name == "deliver"]
    assert parent_of(published, trace) == request.name
    assert parent_of(delivered, trace) == "process message.sent"
    processed = [span for span in trace if span.name == "process message.sent"]
    assert {parent_of(span, trace) for span in processed} == {"publish message.sent"}
    assert request.attributes is not None
    assert dict(request.attributes) == {
        "http.request.method": "POST",
        "http.response.status_code": 201,
        "http.route": ROUTE,
    }


async def test_a_trace_of_the_client_is_continued(cast: Cast, spans: InMemorySpanExporter) -> None:
    began = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    url = cast.platform.urls["chat"][0]
    await cast.platform.http.get(f"{url}/livez", headers={"traceparent": began})
    (span,) = [one for one in spans.get_finished_spans() if one.name == "GET /livez"]
    assert format(span.context.trace_id, "032x") == began.split("-")[1]


async def test_no_span_holds_an_id_or_a_text(cast: Cast, spans: InMemorySpanExporter) -> None:
    server = await cast.ada.found()
    text = await cast.ada.place(server, "text")
    await cast.ada.say(text, "a canary in the trace")
    told = "".join(span.to_json() for span in spans.get_finished_spans())
    for secret in (str(server.id), str(text), str(cast.ada.user), "canary", cast.ada.token):
        assert secret not in told
