"""Which packets of a peer have come: duplicates are told, and acknowledgements written.

A window of 128 packet numbers below the largest; what is older counts as seen, so that nothing can
be replayed. `received_low` holds the newest 64, bit 0 the largest.
"""

from typing import Final

import numpy as np

from sidetone.native import Record, kernel, signature
from sidetone.quic.connections import CONNECTION, WINDOW_BITS
from sidetone.quic.wire import (
    Bytes,
    int64,
    put_long_varint,
    put_varint,
)

ACK_BYTES_MAX: Final = 96
"""The longest acknowledgement that is written."""

_WORD_BITS: Final = 64
_RANGES_MAX: Final = 32
_DELAY_SHIFT: Final = 3
_ACK: Final = 0x02


@kernel(signature("boolean", CONNECTION, "int64"))
def has(connection: Record, back: int) -> bool:
    """Tell whether the packet *back* (0 to 127) before the largest has come."""
    word = connection.received_low if back < _WORD_BITS else connection.received_high
    return (word >> np.uint64(back & _WORD_BITS - 1)) & np.uint64(1) != 0


@kernel(signature("boolean", CONNECTION, "int64"))
def seen(connection: Record, number: int) -> bool:
    """Tell whether packet *number* has come before, or is too old to tell."""
    back = connection.received_largest - number
    return back >= 0 and (back >= WINDOW_BITS or has(connection, back))


@kernel(signature("void", CONNECTION, "int64", "int64"))
def note(connection: Record, number: int, now_ns: int) -> None:
    """Remember that packet *number* has come."""
    ahead = number - connection.received_largest
    one = np.uint64(1)
    if ahead > 0:
        if ahead >= WINDOW_BITS:
            connection.received_high = connection.received_low = np.uint64(0)
        elif ahead >= _WORD_BITS:
            connection.received_high = connection.received_low << np.uint64(ahead - _WORD_BITS)
            connection.received_low = np.uint64(0)
        else:
            over = connection.received_low >> np.uint64(_WORD_BITS - ahead)
            connection.received_high = connection.received_high << np.uint64(ahead) | over
            connection.received_low = connection.received_low << np.uint64(ahead)
        connection.received_low = connection.received_low | one
        connection.received_largest = number
        connection.received_ns = now_ns
    elif ahead > -_WORD_BITS:
        connection.received_low = connection.received_low | one << np.uint64(-ahead)
    elif ahead > -WINDOW_BITS:
        connection.received_high = connection.received_high | one << np.uint64(-ahead - _WORD_BITS)


@kernel(signature("int64", CONNECTION, "uint8[::1]", "int64", "int64"))
def put_ack(connection: Record, out: Bytes, at: int, now_ns: int) -> int:
    """Write an ACK frame for all in the window, newest first; returns the offset after it.

    Nothing is owed afterwards. RFC 9000 section 19.3, with a delay in units of 8 us.
    """
    out[at] = _ACK
    at = put_long_varint(out, at + 1, connection.received_largest)
    delay = max(int64(0), now_ns - connection.received_ns) // 1000 >> _DELAY_SHIFT
    at = put_varint(out, at, min(delay, int64((1 << 30) - 1)))
    ranges_at = at
    at += 1
    ranges = 0
    back = 0
    limit = min(int64(WINDOW_BITS - 1), connection.received_largest)
    while True:
        run = 0
        while back <= limit and has(connection, back):
            run += 1
            back += 1
        at = put_varint(out, at, run - 1)
        gap = 0
        while back <= limit and not has(connection, back):
            gap += 1
            back += 1
        if back > limit or ranges == _RANGES_MAX - 1:
            break
        ranges += 1
        at = put_varint(out, at, gap - 1)
    out[ranges_at] = ranges
    connection.ack_since_ns = 0
    return at
