"""Datagrams in batches: what recvmmsg fills, and what sendmmsg sends.

The structs of the C library are arrays of 64-bit words here: eight in ``struct mmsghdr`` (name,
its length, vector, its length, control, its length, flags, bytes), two in ``struct iovec``.
"""

from typing import Any, Final, NamedTuple

import numpy as np

from sidetone.native import Record, kernel, parts, signature
from sidetone.quic import system
from sidetone.quic.connections import ADDRESS_BYTES, PEER
from sidetone.quic.wire import copy, int64

RECEIVED_MAX: Final = 64
SENT_MAX: Final = 128
DATAGRAM_BYTES_MAX: Final = 2048
PACKET_BYTES_MAX: Final = 1200
"""No packet of ours is longer: every path carries it (RFC 9000 section 14)."""

_NAME: Final = 0
_NAME_LENGTH: Final = 1
_VECTOR: Final = 2
_VECTORS: Final = 3
_BYTES: Final = 7
_LINE: Final = 64
_HEADER_BYTES: Final = 64
_FAILURES_MAX: Final = 8
_32_BITS: Final = 0xFFFFFFFF


class Batch(NamedTuple):
    """Buffers for datagrams, with their addresses; made by `new_batch`.

    *words* holds how many are filled, how many bytes of *data* they take, and how many the system
    would not send.
    """

    data: Any
    headers: Any
    vectors: Any
    names: Any
    words: Any


BATCH: Final = parts(
    Batch,
    data="uint8[::1]",
    headers="uint64[:, ::1]",
    vectors="uint64[:, ::1]",
    names="uint8[:, ::1]",
    words="int64[::1]",
)
FILLED: Final = 0
USED: Final = 1
UNSENT: Final = 2


def new_batch(count: int, size: int) -> Batch:
    """Make room for *count* datagrams of up to *size* bytes."""
    batch = Batch(
        np.zeros(count * size, np.uint8),
        np.zeros((count, 8), np.uint64),
        np.zeros((count, 2), np.uint64),
        np.zeros((count, 32), np.uint8),
        np.zeros(8, np.int64),
    )
    for k in range(count):
        batch.vectors[k] = batch.data.ctypes.data + k * size, size
        batch.headers[k, _NAME] = batch.names[k].ctypes.data
        batch.headers[k, _NAME_LENGTH] = ADDRESS_BYTES
        batch.headers[k, _VECTOR] = batch.vectors[k].ctypes.data
        batch.headers[k, _VECTORS] = 1
    return batch


@kernel(signature("int64", BATCH, "int64", "int64"))
def receive(batch: Batch, descriptor: int, flags: int) -> int:
    """Wait for a datagram, as long as the socket's time limit, and take what else has come.

    Returns how many; not positive if none came.
    """
    for k in range(RECEIVED_MAX):
        batch.headers[k, _NAME_LENGTH] = ADDRESS_BYTES
    return system.recvmmsg(descriptor, batch.headers.ctypes.data, RECEIVED_MAX, flags, 0)


@kernel(signature("int64", BATCH, "int64"))
def length(batch: Batch, which: int) -> int:
    """Return the bytes of a datagram that came; one that was cut short has the most there are."""
    return int64(batch.headers[which, _BYTES] & np.uint64(_32_BITS))


@kernel(signature("boolean", BATCH))
def has_room(batch: Batch) -> bool:
    """Tell whether one more packet of any length fits."""
    return (
        batch.words[FILLED] < SENT_MAX
        and batch.words[USED] + PACKET_BYTES_MAX + _LINE <= batch.data.size
    )


@kernel(signature("void", BATCH, PEER, "int64"))
def add(batch: Batch, peer: Record, size: int) -> None:
    """Take the *size* bytes that were written at `USED` as a packet for *peer*."""
    slot = batch.words[FILLED]
    start = batch.words[USED]
    batch.vectors[slot, 0] = batch.data.ctypes.data + start
    batch.vectors[slot, 1] = size
    copy(batch.names[slot], 0, peer.address, 0, ADDRESS_BYTES)
    batch.headers[slot, _NAME_LENGTH] = peer.address_length
    batch.words[FILLED] = slot + 1
    batch.words[USED] = (start + size + _LINE - 1) // _LINE * _LINE


@kernel(signature("void", BATCH, "int64"))
def send(batch: Batch, descriptor: int) -> None:
    """Send all and empty the batch.

    What cannot be sent is skipped: an address that nobody reaches must not cost others theirs.
    After eight such the rest is dropped: the socket is full, and this is voice.
    """
    count = batch.words[FILLED]
    at = 0
    failures = 0
    while at < count and failures < _FAILURES_MAX:
        address = batch.headers.ctypes.data + at * _HEADER_BYTES
        sent = system.sendmmsg(descriptor, address, count - at, system.DONT_WAIT)
        if sent > 0:
            at += sent
        else:
            at += 1
            failures += 1
            batch.words[UNSENT] += 1
    batch.words[UNSENT] += count - at
    batch.words[FILLED] = batch.words[USED] = 0
