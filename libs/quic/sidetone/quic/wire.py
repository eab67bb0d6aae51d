"""Numbers as QUIC writes them: variable-length integers and shortened packet numbers (RFC 9000).

Kernels over bytes; what reads is told where the bytes end.
"""

from collections.abc import Callable
from typing import Any, Final, cast

import numpy as np
from numpy.typing import NDArray

from sidetone.native import kernel
from sidetone.quic import system

BROKEN: Final = -1
"""The offset after what does not fit into the bytes that are there."""

Bytes = NDArray[np.uint8]

int64: Callable[[Any], int] = cast("Any", np.int64)
"""Makes a signed number of what was a byte or unsigned: numba adds those as floats otherwise."""

_ONE_BYTE: Final = 1 << 6
_TWO_BYTES: Final = 1 << 14
_FOUR_BYTES: Final = 1 << 30


@kernel("int64(uint8[::1], int64, int64)")
def put_varint(out: Bytes, at: int, value: int) -> int:
    """Write *value*, at most 2**30 - 1, in the fewest bytes; returns the offset after it."""
    if value < _ONE_BYTE:
        out[at] = value
        return at + 1
    if value < _TWO_BYTES:
        out[at] = 0x40 | value >> 8
        out[at + 1] = value & 255
        return at + 2
    out[at] = 0x80 | value >> 24
    out[at + 1] = value >> 16 & 255
    out[at + 2] = value >> 8 & 255
    out[at + 3] = value & 255
    return at + 4


@kernel("int64(uint8[::1], int64, int64)")
def put_long_varint(out: Bytes, at: int, value: int) -> int:
    """Write *value*, at most 2**62 - 1, in the fewest bytes; returns the offset after it."""
    if value < _FOUR_BYTES:
        return put_varint(out, at, value)
    for k in range(8):
        out[at + k] = value >> 56 - 8 * k & 255
    out[at] |= 0xC0
    return at + 8


@kernel("Tuple((int64, int64))(uint8[::1], int64, int64)")
def varint(data: Bytes, at: int, end: int) -> tuple[int, int]:
    """Read a number of up to 62 bits at *at*; returns it and the offset after it, or BROKEN."""
    if at < 0 or at >= end:
        return 0, BROKEN
    length = 1 << (data[at] >> 6)
    if at + length > end:
        return 0, BROKEN
    value = int64(data[at] & 0x3F)
    for k in range(1, length):
        value = value << 8 | int64(data[at + k])
    return value, at + length


@kernel("int64(int64, int64, int64)")
def whole_number(shortened: int, length: int, expected: int) -> int:
    """Restore a packet number of which *length* bytes were sent (RFC 9000 appendix A.3)."""
    window = int64(1) << 8 * length
    value = (expected & ~(window - 1)) | shortened
    if value <= expected - window // 2 and value < (int64(1) << 62) - window:
        return value + window
    if value > expected + window // 2 and value >= window:
        return value - window
    return value


@kernel("int64(int64, int64)")
def number_length(number: int, largest_acked: int) -> int:
    """Tell in how many bytes a packet number can be restored by who has acknowledged so far."""
    unacked = number - largest_acked
    if unacked < 1 << 14:
        return 2
    return 3 if unacked < 1 << 22 else 4


@kernel("void(uint8[::1], int64, uint8[::1], int64, int64)")
def copy(to: Bytes, at: int, source: Bytes, start: int, count: int) -> None:
    """Copy *count* bytes between arrays that do not overlap."""
    if count > 0:
        # memcpy cannot be told to check bounds; NUMBA_BOUNDSCHECK checks this.
        to[at + count - 1] = source[start + count - 1]
    system.memcpy(to.ctypes.data + at, source.ctypes.data + start, count)
