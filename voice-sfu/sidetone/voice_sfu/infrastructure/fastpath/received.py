"""Which packets of a peer have come: duplicates are told, and acknowledgements written.

A window of 128 packet numbers below the largest; what is older counts as seen, so that nothing can
be replayed. `received_low` holds the newest 64, bit 0 the largest.
"""

from typing import Final

import numpy as np

from sidetone.native import Record, kernel, signature
from sidetone.voice_sfu.infrastructure.fastpath.rows import ROW, WINDOW_BITS
from sidetone.voice_sfu.infrastructure.fastpath.wire import (
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


@kernel(signature("boolean", ROW, "int64"))
def has(row: Record, back: int) -> bool:
    """Tell whether the packet *back* (0 to 127) before the largest has come."""
    word = row.received_low if back < _WORD_BITS else row.received_high
    return (word >> np.uint64(back & _WORD_BITS - 1)) & np.uint64(1) != 0


@kernel(signature("boolean", ROW, "int64"))
def seen(row: Record, number: int) -> bool:
    """Tell whether packet *number* has come before, or is too old to tell."""
    back = row.received_largest - number
    return back >= 0 and (back >= WINDOW_BITS or has(row, back))


@kernel(signature("void", ROW, "int64", "int64"))
def note(row: Record, number: int, now_ns: int) -> None:
    """Remember that packet *number* has come."""
    ahead = number - row.received_largest
    one = np.uint64(1)
    if ahead > 0:
        if ahead >= WINDOW_BITS:
            row.received_high = row.received_low = np.uint64(0)
        elif ahead >= _WORD_BITS:
            row.received_high = row.received_low << np.uint64(ahead - _WORD_BITS)
            row.received_low = np.uint64(0)
        else:
            over = row.received_low >> np.uint64(_WORD_BITS - ahead)
            row.received_high = row.received_high << np.uint64(ahead) | over
            row.received_low = row.received_low << np.uint64(ahead)
        row.received_low = row.received_low | one
        row.received_largest = number
        row.received_ns = now_ns
    elif ahead > -_WORD_BITS:
        row.received_low = row.received_low | one << np.uint64(-ahead)
    elif ahead > -WINDOW_BITS:
        row.received_high = row.received_high | one << np.uint64(-ahead - _WORD_BITS)


@kernel(signature("int64", ROW, "uint8[::1]", "int64", "int64"))
def put_ack(row: Record, out: Bytes, at: int, now_ns: int) -> int:
    """Write an ACK frame for all in the window, newest first; returns the offset after it.

    Nothing is owed afterwards. RFC 9000 section 19.3, with a delay in units of 8 us.
    """
    out[at] = _ACK
    at = put_long_varint(out, at + 1, row.received_largest)
    delay = max(int64(0), now_ns - row.received_ns) // 1000 >> _DELAY_SHIFT
    at = put_varint(out, at, min(delay, int64((1 << 30) - 1)))
    ranges_at = at
    at += 1
    ranges = 0
    back = 0
    limit = min(int64(WINDOW_BITS - 1), row.received_largest)
    while True:
        run = 0
        while back <= limit and has(row, back):
            run += 1
            back += 1
        at = put_varint(out, at, run - 1)
        gap = 0
        while back <= limit and not has(row, back):
            gap += 1
            back += 1
        if back > limit or ranges == _RANGES_MAX - 1:
            break
        ranges += 1
        at = put_varint(out, at, gap - 1)
    out[ranges_at] = ranges
    row.ack_since_ns = 0
    return at
