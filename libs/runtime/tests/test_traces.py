"""Traces leave the process only where somebody asked for them."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from queue import Queue

import pytest

from sidetone.runtime.traces import sent_to
from sidetone.telemetry import tracing


@pytest.fixture
def collector() -> Iterator[tuple[str, Queue[bytes]]]:
    bodies: Queue[bytes] = Queue()

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.put(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Collector) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/v1/traces", bodies
        server.shutdown()
        thread.join()


def test_spans_are_sent_when_the_process_ends(collector: tuple[str, Queue[bytes]]) -> None:
    url, bodies = collector
    with sent_to(url, "chat"), tracing.trace("GET /chat/servers"), tracing.span("inside"):
        assert tracing.traceparent().startswith("00-")
    body = bodies.get(timeout=10)
    assert b"sidetone-chat" in body
    assert b"GET /chat/servers" in body
    assert b"inside" in body
    assert tracing.traceparent() == ""


def test_without_an_endpoint_nothing_is_traced() -> None:
    with sent_to("", "chat"), tracing.trace("GET /chat/servers") as span:
        assert span is None
        assert tracing.traceparent() == ""


def test_a_trace_begins_with_a_request_and_not_with_a_timer(
    collector: tuple[str, Queue[bytes]],
) -> None:
    url, bodies = collector
    with sent_to(url, "chat"), tracing.span("heartbeat", "client") as span:
        assert span is None
    assert bodies.empty()
