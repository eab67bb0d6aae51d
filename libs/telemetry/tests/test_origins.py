"""Where work comes from, in headers and in the context of the log."""

import structlog

from sidetone.protocol.events import Origin
from sidetone.telemetry.origins import continued, headers_of, origin_in, origin_now


def test_what_nobody_asked_for_carries_nothing() -> None:
    assert origin_now() == Origin()
    assert headers_of(Origin()) is None
    assert origin_in(None) == Origin()
    assert origin_in({"Nats-Msg-Id": "1"}) == Origin()


def test_an_origin_survives_its_headers() -> None:
    origin = Origin("request-1", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
    assert origin_in(headers_of(origin)) == origin


def test_what_is_carried_is_bounded() -> None:
    assert len(origin_in({"Sidetone-Request": "x" * 10_000}).request) == 64


def test_work_goes_on_under_its_request_and_only_so_long() -> None:
    with continued(Origin("request-1"), "work"):
        assert origin_now() == Origin("request-1")
        with continued(Origin("request-2"), "other work"):
            assert origin_now() == Origin("request-2")
        assert origin_now() == Origin("request-1")
    assert "request" not in structlog.contextvars.get_contextvars()
