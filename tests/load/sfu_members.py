"""What the members of a crowd do all the time, in kernels: much traffic for little time.

The unit's own modules, on the client's side, open what comes and seal what is said. Each member
acknowledges on its own, when what came has waited long enough, as a native client does.
"""

from typing import Any, Final, NamedTuple

import numpy as np

from sidetone.native import Record, kernel, parts, signature
from sidetone.native.clock import now_ns
from sidetone.quic import frames, packets, received, sent, system
from sidetone.quic.batches import DATAGRAM_BYTES_MAX, RECEIVED_MAX
from sidetone.quic.batches import length as length_of
from sidetone.quic.connections import CONNECTION
from sidetone.quic.packets import CIPHER
from sidetone.quic.wire import (
    BROKEN,
    Bytes,
    int64,
    put_varint,
    varint,
)
from sidetone.voice_sfu.infrastructure.fastpath.media import MEDIA
from sidetone.voice_sfu.infrastructure.fastpath.rows import ROW
from tests.load.udp_crowd import (
    ARRIVALS,
    OPUS_BYTES,
    arrived_ns,
    collect,
    count_delay,
    sleep_until,
)

ACK_DELAY_NS: Final = 80_000_000
"""How old what is to be acknowledged is at least: 100 ms are announced, and a look takes 20."""

# Places in the words of a crowd.
FRAMES: Final = 0
PACKETS: Final = 1
ACKS: Final = 2
UNREADABLE: Final = 3
TURN: Final = 4
CLOSES: Final = 5
WORDS: Final = 8

_HEAD_BYTES: Final = 8
_TAG_BYTES: Final = 16
_FRAME_BYTES: Final = _HEAD_BYTES + OPUS_BYTES + _TAG_BYTES
_STAMP_BYTES: Final = 8
_VX1: Final = 0x40
_FORM_BITS: Final = 0xC0
_STREAM: Final = 0x08
_STREAM_END: Final = 0x0F
_CLOSE: Final = 0x1C
_CLOSE_BY_APPLICATION: Final = 0x1D


class Crowd(NamedTuple):
    """All members, as kernels see them; member *k* has row *k* and socket *k*."""

    media: Any
    rows: Any
    sockets: Any
    counters: Any
    arrivals: Any
    text: Any
    cipher: Any
    words: Any
    delays: Any
    lateness: Any


CROWD: Final = parts(
    Crowd,
    media=MEDIA,
    rows="int64[::1]",
    sockets="int64[::1]",
    counters="int64[::1]",
    arrivals=ARRIVALS,
    text="uint8[::1]",
    cipher=CIPHER,
    words="int64[::1]",
    delays="int64[::1]",
    lateness="int64[::1]",
)


# --- what a member hears ---


@kernel(signature("int64", "uint8[::1]", "int64", "int64"))
def _after_stream(data: Bytes, at: int, end: int) -> int:
    """Return the offset after the STREAM frame at *at* (RFC 9000 section 19.8), or BROKEN."""
    kind = data[at]
    _, at = varint(data, at + 1, end)
    if kind & 0x04:
        _, at = varint(data, at, end)
    if not kind & 0x02:
        return end
    length, at = varint(data, at, end)
    return BROKEN if at == BROKEN else at + length


@kernel(signature("void", CROWD, "int64", "int64"))
def _hear_frame(crowd: Crowd, start: int, arrived: int) -> None:
    """Count a frame, and how long it took: its payload says when it was sent."""
    sent_ns = int64(0)
    for k in range(_STAMP_BYTES):
        sent_ns = sent_ns << 8 | int64(crowd.text[start + _HEAD_BYTES + k])
    crowd.words[FRAMES] += 1
    count_delay(crowd.delays, arrived - sent_ns)


@kernel(signature("boolean", CROWD, CONNECTION, "int64", "int64", "int64"))
def _take_frames(crowd: Crowd, connection: Record, at: int, end: int, arrived: int) -> bool:
    """Read an opened packet; returns whether it wants an acknowledgement."""
    data, wants_ack = crowd.text, False
    while 0 <= at < end:
        kind = data[at]
        if kind > 0 and (kind < 2 or kind > frames.ACK_ECN):
            wants_ack = True
        if kind <= frames.PING:
            at += 1
        elif kind <= frames.ACK_ECN:
            largest, _ = varint(data, at + 1, end)
            at = sent.check_ack(connection, data, at, end)
            connection.largest_acked = max(connection.largest_acked, largest)
        elif kind == frames.DATAGRAM or kind == frames.DATAGRAM_WITH_LENGTH:  # noqa: PLR1714
            start, at = frames.datagram(data, at, end)
            _hear_frame(crowd, start, arrived)
        elif _STREAM <= kind <= _STREAM_END:
            at = _after_stream(data, at, end)
        else:
            crowd.words[CLOSES] += kind == _CLOSE or kind == _CLOSE_BY_APPLICATION  # noqa: PLR1714
            return wants_ack
    return wants_ack


@kernel(signature("void", CROWD, "int64", "int64", "int64"))
def _take_packet(crowd: Crowd, member: int, which: int, day_ns: int) -> None:
    connection = crowd.media.rows[crowd.rows[member]].connection
    batch = crowd.arrivals.batch
    start = which * DATAGRAM_BYTES_MAX
    size = min(length_of(batch, which), int64(DATAGRAM_BYTES_MAX))
    packet = batch.data[start : start + size]
    if size < packets.PACKET_BYTES_MIN or packet[0] & _FORM_BITS != _VX1:
        crowd.words[UNREADABLE] += 1
        return
    at, end, number = packets.open_packet(connection, crowd.cipher, packet, crowd.text)
    if at < 0:
        crowd.words[UNREADABLE] += 1
        return
    arrived = arrived_ns(crowd.arrivals, which)
    crowd.words[PACKETS] += 1
    received.note(connection, number, arrived - day_ns)
    if _take_frames(crowd, connection, at, end, arrived) and connection.ack_since_ns == 0:
        connection.ack_since_ns = arrived - day_ns


@kernel(signature("void", CROWD, "int64", "int64"))
def _hear(crowd: Crowd, member: int, day_ns: int) -> None:
    """Take all that has come to a member, and acknowledge what has waited long enough.

    *day_ns* is what the clock of the day is ahead of the monotonic one.
    """
    count = RECEIVED_MAX
    while count == RECEIVED_MAX:
        count = collect(crowd.arrivals, crowd.sockets[member])
        for k in range(count):
            _take_packet(crowd, member, k, day_ns)
    if _owes(crowd.media.rows[crowd.rows[member]].connection, now_ns()):
        _send(crowd, member, 0, 0)


# --- what a member says ---


@kernel(signature("boolean", CONNECTION, "int64"))
def _owes(connection: Record, now: int) -> bool:
    return connection.ack_since_ns != 0 and now - connection.ack_since_ns >= ACK_DELAY_NS


@kernel(signature("int64", CROWD, ROW, "int64", "int64", "int64"))
def _put_frame(crowd: Crowd, row: Record, member: int, at: int, sent_ns: int) -> int:
    out = crowd.text
    out[at] = frames.DATAGRAM_WITH_LENGTH
    at = put_varint(out, at + 1, _FRAME_BYTES)
    counter = crowd.counters[member]
    crowd.counters[member] = counter + 1
    out[at], out[at + 1] = _VX1, 0
    out[at + 2], out[at + 3] = row.sender >> 8, row.sender & 255
    for k in range(4):
        out[at + 4 + k] = counter >> 24 - 8 * k & 255
    for k in range(_STAMP_BYTES):
        out[at + _HEAD_BYTES + k] = sent_ns >> 56 - 8 * k & 255
    for k in range(_HEAD_BYTES + _STAMP_BYTES, _FRAME_BYTES):
        out[at + k] = np.uint8((counter * 31 + k * 7) & 255)
    return at + _FRAME_BYTES


@kernel(signature("void", CROWD, "int64", "int64", "int64"))
def _send(crowd: Crowd, member: int, frame: int, day_ns: int) -> None:
    """Send a frame, or a PING, with the acknowledgement if one is due."""
    row = crowd.media.rows[crowd.rows[member]]
    out, now = crowd.text, now_ns()
    connection = row.connection
    number = connection.next_number
    connection.next_number = number + 1
    head = packets.begin(connection, out, number)
    at = head
    if _owes(connection, now):
        at = received.put_ack(connection, out, at, now)
        crowd.words[ACKS] += 1
    if frame:
        at = _put_frame(crowd, row, member, at, now + day_ns)
    elif at == head:
        out[at] = frames.PING
        at += 1
    size = packets.finish(connection, crowd.cipher, out, head, at, number)
    system.write(crowd.sockets[member], out.ctypes.data, size)


# --- what all do ---


@kernel(signature("void", CROWD, "int64", "int64", "boolean"))
def tend(crowd: Crowd, count: int, day_ns: int, pings: bool) -> None:
    """Let the first *count* members hear, and acknowledge, what has come; or also ping."""
    for member in range(count):
        _hear(crowd, member, day_ns)
        if pings:
            _send(crowd, member, 0, 0)


@kernel(signature("void", CROWD, "int64[::1]", "int64", "int64", "int64"), release=True)
def talk(crowd: Crowd, speakers: Any, count: int, step_ns: int, day_ns: int) -> None:
    """Let *speakers* say *count* frames in turn, one each *step_ns*; all hear meanwhile.

    After each frame so many receivers are emptied that all had their turn in a frame's time.
    """
    members = crowd.sockets.size
    at_once = -(-members // speakers.size)
    start = now_ns()
    for k in range(count):
        due = start + k * step_ns
        sleep_until(due)
        count_delay(crowd.lateness, now_ns() - due)
        _send(crowd, speakers[k % speakers.size], 1, day_ns)
        for _ in range(at_once):
            crowd.words[TURN] = (crowd.words[TURN] + 1) % members
            _hear(crowd, crowd.words[TURN], day_ns)
