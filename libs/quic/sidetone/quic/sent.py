"""What is on its way to a peer: acknowledgements read, losses found, and a window kept.

Datagrams are never sent again, so a loss only closes the window: New Reno (RFC 9002) with packet
and time thresholds, never below what a few voices need, because a listener whose link loses a
little is not to be muted. What the window does not take is dropped: late voice is worth nothing.
"""

from typing import Final

import numpy as np

from sidetone.native import Record, kernel, signature
from sidetone.quic.connections import CONNECTION, ON, SENT_MAX, WINDOW_MAX, WINDOW_MIN
from sidetone.quic.wire import BROKEN, Bytes, int64, varint

_PACKET_THRESHOLD: Final = 3
_PACKET_BYTES: Final = 1200
_SILENCE_NS: Final = 1_000_000_000
_RTT_MIN_NS: Final = 1_000_000
_DELAY_MAX_NS: Final = 100_000_000
_RANGES_MAX: Final = 512
_NUMBER_BITS: Final = 16
_ECN: Final = 0x03
_ACK_ECN_COUNTS: Final = 3
_32_BITS: Final = 0xFFFFFFFF


@kernel(signature("int64", CONNECTION, "int64"))
def _size(connection: Record, number: int) -> int:
    """Return the bytes of packet *number* if it is on its way, or 0."""
    word = int64(connection.sent[number % SENT_MAX] & np.uint64(_32_BITS))
    same = word & 0xFFFF == number & 0xFFFF
    return word >> _NUMBER_BITS if same else int64(0)


@kernel(signature("int64", CONNECTION, "int64", "int64"))
def _age_ns(connection: Record, number: int, now_ns: int) -> int:
    """Tell how long ago packet *number* was sent, to a microsecond and up to an hour."""
    sent_us = int64(connection.sent[number % SENT_MAX] >> np.uint64(32))
    return (now_ns // 1000 - sent_us & _32_BITS) * 1000


@kernel(signature("void", CONNECTION, "int64"))
def _forget(connection: Record, number: int) -> None:
    connection.in_flight -= _size(connection, number)
    connection.sent[number % SENT_MAX] = np.uint64(0)


@kernel(signature("void", CONNECTION, "int64", "int64", "int64"))
def note(connection: Record, number: int, size: int, now_ns: int) -> None:
    """Remember that packet *number* of *size* bytes has left; the one 256 before it is lost."""
    slot = number % SENT_MAX
    before = int64(connection.sent[slot] >> np.uint64(_NUMBER_BITS)) & 0xFFFF
    if before > 0:
        connection.in_flight -= before
        connection.counts.lost += 1
    word = size << _NUMBER_BITS | number & 0xFFFF
    connection.sent[slot] = np.uint64((now_ns // 1000 & _32_BITS) << 32 | word)
    connection.in_flight += size


@kernel(signature("boolean", CONNECTION, "int64", "int64"))
def may_send(connection: Record, size: int, now_ns: int) -> bool:
    """Tell whether the window has room for *size* bytes.

    Without any acknowledgement for a second the peer may be gone, or all of them were lost: then
    what is on its way is forgotten, and sending begins anew with the smallest window.
    """
    if connection.state != ON:
        return False
    if connection.in_flight + size <= connection.window:
        return True
    if now_ns - connection.acked_ns < _SILENCE_NS:
        return False
    connection.counts.lost += 1
    for slot in range(SENT_MAX):
        connection.sent[slot] = np.uint64(0)
    connection.in_flight = 0
    connection.window = WINDOW_MIN
    connection.acked_ns = now_ns
    return True


@kernel(signature("int64", CONNECTION, "uint8[::1]", "int64", "int64"))
def check_ack(connection: Record, data: Bytes, at: int, end: int) -> int:
    """Read over the ACK frame whose type is at *at*; returns the offset after it, or BROKEN.

    Broken is also one for packets that were never sent, and one with numbers below zero.
    """
    kind = data[at]
    largest, at = varint(data, at + 1, end)
    _, at = varint(data, at, end)
    ranges, at = varint(data, at, end)
    if at == BROKEN or ranges > _RANGES_MAX or largest >= connection.next_number:
        return BROKEN
    low = largest
    for k in range(2 * ranges + 1):
        step, at = varint(data, at, end)
        low -= step + (2 if k & 1 else 0)
        # Before the next subtraction could wrap around.
        if at == BROKEN or low < 0:
            return BROKEN
    for _ in range(_ACK_ECN_COUNTS if kind == _ECN else 0):
        _, at = varint(data, at, end)
    return at


@kernel(signature("void", CONNECTION, "int64", "int64"))
def _acknowledge(connection: Record, first: int, last: int) -> None:
    """Take packets *first* to *last* off the way; grow the window where it is the limit."""
    start = max(first, connection.unacked_from, connection.next_number - SENT_MAX)
    for number in range(start, last + 1):
        size = _size(connection, number)
        if size == 0:
            continue
        if 2 * connection.in_flight > connection.window and number > connection.recovery_number:
            slow_start = connection.window < connection.slow_start_until
            growth = size if slow_start else _PACKET_BYTES * size // connection.window + 1
            connection.window = min(connection.window + growth, int64(WINDOW_MAX))
        _forget(connection, number)


@kernel(signature("void", CONNECTION, "int64", "int64"))
def _detect_loss(connection: Record, largest: int, now_ns: int) -> None:
    """Give up what is three packets or 9/8 of a round trip behind; one cut a round trip."""
    lost = False
    patience_ns = connection.rtt_ns * 9 // 8
    number = max(connection.unacked_from, connection.next_number - SENT_MAX)
    connection.unacked_from = largest + 1
    while number < largest:
        if _size(connection, number) > 0:
            late = connection.rtt_ns > 0 and _age_ns(connection, number, now_ns) > patience_ns
            if number <= largest - _PACKET_THRESHOLD or late:
                _forget(connection, number)
                connection.counts.lost += 1
                lost = lost or number > connection.recovery_number
            else:
                connection.unacked_from = min(connection.unacked_from, number)
        number += 1
    if lost:
        connection.recovery_number = connection.next_number
        connection.window = connection.slow_start_until = max(
            int64(WINDOW_MIN), connection.window // 2
        )


@kernel(signature("int64", CONNECTION, "uint8[::1]", "int64", "int64", "int64"))
def take_ack(connection: Record, data: Bytes, at: int, end: int, now_ns: int) -> int:
    """Act on the ACK frame at *at*, which `check_ack` has passed; returns the offset after it."""
    kind = data[at]
    largest, at = varint(data, at + 1, end)
    delay, at = varint(data, at, end)
    ranges, at = varint(data, at, end)
    run, at = varint(data, at, end)
    connection.acked_ns = now_ns
    if _size(connection, largest) > 0:
        # Capped before it is shifted as well: a lie of 62 bits would overflow.
        delay_us = min(delay, int64(_DELAY_MAX_NS // 1000)) << connection.peer.ack_delay_shift
        delay_ns = min(delay_us, int64(_DELAY_MAX_NS // 1000)) * 1000
        rtt_ns = max(_age_ns(connection, largest, now_ns) - delay_ns, int64(_RTT_MIN_NS))
        connection.rtt_ns = (
            rtt_ns if connection.rtt_ns == 0 else (7 * connection.rtt_ns + rtt_ns) // 8
        )
    high = largest
    _acknowledge(connection, high - run, high)
    for _ in range(ranges):
        gap, at = varint(data, at, end)
        high -= run + gap + 2
        run, at = varint(data, at, end)
        _acknowledge(connection, high - run, high)
    for _ in range(_ACK_ECN_COUNTS if kind == _ECN else 0):
        _, at = varint(data, at, end)
    if largest >= connection.largest_acked:
        connection.largest_acked = largest
        _detect_loss(connection, largest, now_ns)
    return at
