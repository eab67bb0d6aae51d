"""What stands in a packet: who may handle it, and its DATAGRAM frames one after another.

Only PADDING, PING, ACK and DATAGRAM stay with the kernels (RFC 9000 section 19, RFC 9221);
everything else, and ACKs of what aioquic has sent, are for aioquic.
"""

from typing import Final

from sidetone.native import Record, kernel, signature
from sidetone.quic import sent
from sidetone.quic.connections import CONNECTION
from sidetone.quic.wire import BROKEN, Bytes, int64, varint

# PADDING is 0, PING 1, ACK 2, ACK with counts of ECN 3.
PING: Final = 0x01
ACK_ECN: Final = 0x03
DATAGRAM: Final = 0x30
DATAGRAM_WITH_LENGTH: Final = 0x31

OTHERS: Final = 0
"""Frames that are not whole, or not the kernels' to handle."""
SHARED: Final = 1
"""Frames for kernels, of which one acknowledges what aioquic has sent: it is to see them too."""
QUIET: Final = 2
"""Frames for kernels of which none asks for an acknowledgement."""
ELICITING: Final = 3
"""Frames for kernels, to be acknowledged (RFC 9000 section 13.2)."""

_TYPE_BYTES: Final = 1


@kernel(signature("int64", CONNECTION, "uint8[::1]", "int64", "int64"))
def _after(connection: Record, data: Bytes, at: int, end: int) -> int:
    """Return the offset after the frame at *at*; BROKEN if it is not whole, or not for kernels."""
    kind = data[at]
    if kind <= PING:
        return at + _TYPE_BYTES
    if kind <= ACK_ECN:
        return sent.check_ack(connection, data, at, end)
    if kind == DATAGRAM:
        return end
    if kind != DATAGRAM_WITH_LENGTH:
        return BROKEN
    length, at = varint(data, at + _TYPE_BYTES, end)
    return at + length if at != BROKEN and length <= end - at else BROKEN


@kernel(signature("int64", CONNECTION, "uint8[::1]", "int64", "int64"))
def judge(connection: Record, data: Bytes, at: int, end: int) -> int:
    """Tell what stands between *at* and *end*: OTHERS, SHARED, QUIET or ELICITING."""
    if at >= end:
        return OTHERS
    kinds, shared = QUIET, False
    while at < end:
        if data[at] == PING or data[at] > ACK_ECN:
            kinds = ELICITING
        elif data[at] > PING:
            largest, _ = varint(data, at + _TYPE_BYTES, end)
            shared |= 0 <= connection.tracked_from <= largest
        at = _after(connection, data, at, end)
        if at == BROKEN:
            return OTHERS
    return SHARED if shared else kinds


@kernel(signature("boolean", "uint8[::1]", "int64", "int64"))
def is_datagram(data: Bytes, at: int, end: int) -> bool:
    """Tell whether a whole DATAGRAM frame stands at *at*."""
    if data[at] != DATAGRAM_WITH_LENGTH:
        return data[at] == DATAGRAM
    length, at = varint(data, at + _TYPE_BYTES, end)
    return at != BROKEN and length <= end - at


@kernel("Tuple((int64, int64))(uint8[::1], int64, int64)")
def datagram(data: Bytes, at: int, end: int) -> tuple[int, int]:
    """Return where the text of the DATAGRAM frame at *at* begins and ends; it is whole."""
    if data[at] == DATAGRAM:
        return int64(at + _TYPE_BYTES), int64(end)
    length, start = varint(data, at + _TYPE_BYTES, end)
    return start, start + length
