"""What is on its way to a peer: acknowledgements read, losses found, and a window kept.

Datagrams are never sent again, so a loss only closes the window: New Reno (RFC 9002) with packet
and time thresholds, never below what a few voices need, because a listener whose link loses a
little is not to be muted. What the window does not take is dropped: late voice is worth nothing.
"""

from typing import Final

import numpy as np

from sidetone.native import Record, kernel, signature
from sidetone.voice_sfu.infrastructure.fastpath.rows import ON, ROW, SENT_MAX
from sidetone.voice_sfu.infrastructure.fastpath.wire import BROKEN, Bytes, int64, varint

WINDOW_MIN: Final = 32_000
"""Where a window begins too: a few voices for as long as an acknowledgement takes."""
WINDOW_MAX: Final = 1 << 22

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


@kernel(signature("int64", ROW, "int64"))
def _size(row: Record, number: int) -> int:
    """Return the bytes of packet *number* if it is on its way, or 0."""
    word = int64(row.sent[number % SENT_MAX] & np.uint64(_32_BITS))
    same = word & 0xFFFF == number & 0xFFFF
    return word >> _NUMBER_BITS if same else int64(0)


@kernel(signature("int64", ROW, "int64", "int64"))
def _age_ns(row: Record, number: int, now_ns: int) -> int:
    """Tell how long ago packet *number* was sent, to a microsecond and up to an hour."""
    sent_us = int64(row.sent[number % SENT_MAX] >> np.uint64(32))
    return (now_ns // 1000 - sent_us & _32_BITS) * 1000


@kernel(signature("void", ROW, "int64"))
def _forget(row: Record, number: int) -> None:
    row.in_flight -= _size(row, number)
    row.sent[number % SENT_MAX] = np.uint64(0)


@kernel(signature("void", ROW, "int64", "int64", "int64"))
def note(row: Record, number: int, size: int, now_ns: int) -> None:
    """Remember that packet *number* of *size* bytes has left; the one 256 before it is lost."""
    slot = number % SENT_MAX
    before = int64(row.sent[slot] >> np.uint64(_NUMBER_BITS)) & 0xFFFF
    if before > 0:
        row.in_flight -= before
        row.counts.lost += 1
    word = size << _NUMBER_BITS | number & 0xFFFF
    row.sent[slot] = np.uint64((now_ns // 1000 & _32_BITS) << 32 | word)
    row.in_flight += size


@kernel(signature("boolean", ROW, "int64", "int64"))
def may_send(row: Record, size: int, now_ns: int) -> bool:
    """Tell whether the window has room for *size* bytes.

    Without any acknowledgement for a second the peer may be gone, or all of them were lost: then
    what is on its way is forgotten, and sending begins anew with the smallest window.
    """
    if row.state != ON:
        return False
    if row.in_flight + size <= row.window:
        return True
    if now_ns - row.acked_ns < _SILENCE_NS:
        return False
    row.counts.lost += 1
    for slot in range(SENT_MAX):
        row.sent[slot] = np.uint64(0)
    row.in_flight = 0
    row.window = WINDOW_MIN
    row.acked_ns = now_ns
    return True


@kernel(signature("int64", ROW, "uint8[::1]", "int64", "int64"))
def check_ack(row: Record, data: Bytes, at: int, end: int) -> int:
    """Read over the ACK frame whose type is at *at*; returns the offset after it, or BROKEN.

    Broken is also one for packets that were never sent, and one with numbers below zero.
    """
    kind = data[at]
    largest, at = varint(data, at + 1, end)
    _, at = varint(data, at, end)
    ranges, at = varint(data, at, end)
    if at == BROKEN or ranges > _RANGES_MAX or largest >= row.next_number:
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


@kernel(signature("void", ROW, "int64", "int64"))
def _acknowledge(row: Record, first: int, last: int) -> None:
    """Take packets *first* to *last* off the way; grow the window where it is the limit."""
    start = max(first, row.unacked_from, row.next_number - SENT_MAX)
    for number in range(start, last + 1):
        size = _size(row, number)
        if size == 0:
            continue
        if 2 * row.in_flight > row.window and number > row.recovery_number:
            slow_start = row.window < row.slow_start_until
            growth = size if slow_start else _PACKET_BYTES * size // row.window + 1
            row.window = min(row.window + growth, int64(WINDOW_MAX))
        _forget(row, number)


@kernel(signature("void", ROW, "int64", "int64"))
def _detect_loss(row: Record, largest: int, now_ns: int) -> None:
    """Give up what is three packets or 9/8 of a round trip behind; one cut a round trip."""
    lost = False
    patience_ns = row.rtt_ns * 9 // 8
    number = max(row.unacked_from, row.next_number - SENT_MAX)
    row.unacked_from = largest + 1
    while number < largest:
        if _size(row, number) > 0:
            late = row.rtt_ns > 0 and _age_ns(row, number, now_ns) > patience_ns
            if number <= largest - _PACKET_THRESHOLD or late:
                _forget(row, number)
                row.counts.lost += 1
                lost = lost or number > row.recovery_number
            else:
                row.unacked_from = min(row.unacked_from, number)
        number += 1
    if lost:
        row.recovery_number = row.next_number
        row.window = row.slow_start_until = max(int64(WINDOW_MIN), row.window // 2)


@kernel(signature("int64", ROW, "uint8[::1]", "int64", "int64", "int64"))
def take_ack(row: Record, data: Bytes, at: int, end: int, now_ns: int) -> int:
    """Act on the ACK frame at *at*, which `check_ack` has passed; returns the offset after it."""
    kind = data[at]
    largest, at = varint(data, at + 1, end)
    delay, at = varint(data, at, end)
    ranges, at = varint(data, at, end)
    run, at = varint(data, at, end)
    row.acked_ns = now_ns
    if _size(row, largest) > 0:
        # Capped before it is shifted as well: a lie of 62 bits would overflow.
        delay_us = min(delay, int64(_DELAY_MAX_NS // 1000)) << row.peer.ack_delay_shift
        delay_ns = min(delay_us, int64(_DELAY_MAX_NS // 1000)) * 1000
        rtt_ns = max(_age_ns(row, largest, now_ns) - delay_ns, int64(_RTT_MIN_NS))
        row.rtt_ns = rtt_ns if row.rtt_ns == 0 else (7 * row.rtt_ns + rtt_ns) // 8
    high = largest
    _acknowledge(row, high - run, high)
    for _ in range(ranges):
        gap, at = varint(data, at, end)
        high -= run + gap + 2
        run, at = varint(data, at, end)
        _acknowledge(row, high - run, high)
    for _ in range(_ACK_ECN_COUNTS if kind == _ECN else 0):
        _, at = varint(data, at, end)
    if largest >= row.largest_acked:
        row.largest_acked = largest
        _detect_loss(row, largest, now_ns)
    return at
