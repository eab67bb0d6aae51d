from contextlib import suppress

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidetone.client.control import ControlReader, encode
from sidetone.protocol import voice_control as control
from sidetone.protocol.refusals import Invalid

TOLD = (
    control.Pong(7),
    control.Move("node_draining"),
    control.Commit(b"\x00" * 500),
    control.KeyPackages([]),
)


def wire(message: control.ServerMessage) -> bytes:
    body = msgspec.msgpack.encode(message)
    return len(body).to_bytes(4, "big") + body


def test_a_message_goes_out_after_its_length() -> None:
    sent = encode(control.Ping(3))
    assert int.from_bytes(sent[:4], "big") == len(sent) - 4
    assert msgspec.msgpack.decode(sent[4:], type=control.ClientMessage) == control.Ping(3)


@given(st.lists(st.sampled_from(TOLD), max_size=6), st.data())
def test_messages_arrive_whole_however_the_stream_is_cut(
    messages: list[control.ServerMessage], data: st.DataObject
) -> None:
    stream = b"".join(map(wire, messages))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    reader = ControlReader()
    pieces = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    assert [message for piece in pieces for message in reader.feed(piece)] == messages


def test_an_announced_oversize_message_is_refused_before_it_is_held() -> None:
    with pytest.raises(Invalid) as caught:
        ControlReader().feed((control.MESSAGE_BYTES_MAX + 1).to_bytes(4, "big"))
    assert caught.value.code == "control_oversize"


def test_a_message_of_an_unknown_kind_is_refused() -> None:
    body = msgspec.msgpack.encode({"type": "from_the_future"})
    with pytest.raises(Invalid) as caught:
        ControlReader().feed(len(body).to_bytes(4, "big") + body)
    assert caught.value.code == "control_malformed"


@given(st.binary(max_size=300))
def test_garbage_is_refused_or_waited_for_and_never_another_exception(garbage: bytes) -> None:
    reader = ControlReader()
    with suppress(Invalid):
        reader.feed(len(garbage).to_bytes(4, "big") + garbage)
        reader.feed(garbage)
