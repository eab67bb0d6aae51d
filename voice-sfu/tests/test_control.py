"""The control stream's codec: any cut, any garbage."""

import contextlib
import itertools

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sidetone.protocol.refusals import Invalid
from sidetone.protocol.voice_control import (
    MESSAGE_BYTES_MAX,
    ClientMessage,
    Commit,
    Join,
    Leave,
    Ping,
    Pong,
    ServerMessage,
    Stats,
)
from sidetone.voice_sfu.interface.control import ControlReader, encode
from tests.load.sfu_stage import framed

SAID: list[ClientMessage] = [
    Join(b"ticket"),
    Commit(bytes(300)),
    Stats(received=5, lost=1, jitter_ms=1.5),
    Ping(1),
    Leave(),
]


@given(st.lists(st.integers(0, 500)))
def test_messages_survive_any_cut(cuts: list[int]) -> None:
    stream = b"".join(framed(msgspec.msgpack.encode(each)) for each in SAID)
    edges = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    reader = ControlReader()
    pieces = [stream[start:end] for start, end in itertools.pairwise(edges)]
    assert [each for piece in pieces for each in reader.feed(piece)] == SAID


@settings(max_examples=500)
@given(st.lists(st.binary(max_size=100) | st.binary(max_size=60).map(framed), max_size=8))
def test_garbage_is_a_refusal_and_nothing_else(pieces: list[bytes]) -> None:
    reader = ControlReader()
    with contextlib.suppress(Invalid):
        for piece in pieces:
            reader.feed(piece)
    assert len(reader._pending) <= 4 + MESSAGE_BYTES_MAX + 100


def test_the_largest_message_passes_and_one_byte_more_does_not() -> None:
    room_for = MESSAGE_BYTES_MAX - len(msgspec.msgpack.encode(Commit(bytes(60_000)))) + 60_000
    (passed,) = ControlReader().feed(framed(msgspec.msgpack.encode(Commit(bytes(room_for)))))
    assert passed == Commit(bytes(room_for))
    with pytest.raises(Invalid, match="control_oversize"):
        ControlReader().feed((MESSAGE_BYTES_MAX + 1).to_bytes(4, "big"))


def test_a_field_of_a_newer_client_is_skipped() -> None:
    newer = msgspec.msgpack.encode({"type": "ping", "number": 4, "mood": "good"})
    assert ControlReader().feed(framed(newer)) == [Ping(4)]


def test_what_is_encoded_is_length_and_message() -> None:
    encoded = encode(Pong(9))
    assert int.from_bytes(encoded[:4], "big") == len(encoded) - 4
    assert msgspec.msgpack.decode(encoded[4:], type=ServerMessage) == Pong(9)
