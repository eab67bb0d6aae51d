"""What kernels know of a connection: one record, beside what aioquic knows of it.

Fields are in the order in which a packet that leaves touches them. Whoever runs kernels over a
record decides how it is guarded: aioquic's side and theirs change it.
"""

import struct
from typing import Any, Final, NamedTuple

import numpy as np

from sidetone.native import Record, Records, kernel, layout, signature
from sidetone.quic.wire import copy

SENT_MAX: Final = 256
"""Packets of a connection that can be on their way at once; older ones count as lost."""
WINDOW_BITS: Final = 128
"""How far back a packet number can be told from one that came before."""
WINDOW_MIN: Final = 32_000
"""Where a congestion window begins, and what it never closes below: a few voices for as long as an
acknowledgement takes."""
WINDOW_MAX: Final = 1 << 22

NEVER: Final = (1 << 63) - 1

OFF: Final = 0
ON: Final = 1
BUSY: Final = 2
"""States: nobody's or aioquic's alone; the kernels'; aioquic's while it sends."""

ADDRESS_BYTES: Final = 28
CID_BYTES_MAX: Final = 20
PREFIX_BYTES_MAX: Final = 8

PEER: Final = layout(
    seals=np.uintp,
    masks=np.uintp,
    opens=np.uintp,
    unmasks=np.uintp,
    opens_before=np.uintp,
    key_phase=np.uint8,
    cid_length=np.uint8,
    prefix_length=np.uint8,
    cid=(np.uint8, (CID_BYTES_MAX,)),
    prefix=(np.uint8, (PREFIX_BYTES_MAX,)),
    seal_iv=(np.uint8, (12,)),
    open_iv=(np.uint8, (12,)),
    open_before_iv=(np.uint8, (12,)),
    address_length=np.uint32,
    address=(np.uint8, (ADDRESS_BYTES,)),
    frame_max=np.int64,
    ack_delay_shift=np.int64,
)
"""What aioquic knows of a peer: keys as contexts of `aead`, its address, its connection id.

*opens_before* opens packets of the key phase before; 0 is none. *prefix* stands before the frame
in each DATAGRAM (WebTransport's quarter stream id; natively none). *frame_max* is the longest
DATAGRAM frame that the peer takes, type and length counted.
"""

_PEER: Final = struct.Struct(
    f"@5P3B{CID_BYTES_MAX}s{PREFIX_BYTES_MAX}s12s12s12sI{ADDRESS_BYTES}sqq"
)


class Peer(NamedTuple):
    """What `PEER` holds, for Python to fill in; *address* as `addresses` packs it."""

    seals: int = 0
    masks: int = 0
    opens: int = 0
    unmasks: int = 0
    opens_before: int = 0
    key_phase: int = 0
    cid: bytes = b""
    prefix: bytes = b""
    seal_iv: bytes = b""
    open_iv: bytes = b""
    open_before_iv: bytes = b""
    address: bytes = b""
    frame_max: int = 0
    ack_delay_shift: int = 0

    def packed(self) -> Records:
        """Return it as the one record of an array: a hundred times as fast as field by field."""
        data = _PEER.pack(
            *(self.seals, self.masks, self.opens, self.unmasks, self.opens_before),
            *(self.key_phase, len(self.cid), len(self.prefix), self.cid, self.prefix),
            *(self.seal_iv, self.open_iv, self.open_before_iv, len(self.address), self.address),
            *(self.frame_max, self.ack_delay_shift),
        )
        return np.frombuffer(bytearray(data.ljust(PEER.itemsize, b"\0")), PEER)


PACKET_COUNTS: Final = layout(
    packets_out=np.int64,
    packets_in=np.int64,
    lost=np.int64,
    duplicates=np.int64,
    forged=np.int64,
)
"""Sums since the record was taken."""

CONNECTION: Final = layout(
    state=np.int64,
    next_number=np.int64,
    in_flight=np.int64,
    window=np.int64,
    slow_start_until=np.int64,
    largest_acked=np.int64,
    ack_since_ns=np.int64,
    counts=PACKET_COUNTS,
    peer=PEER,
    # What it has received.
    received_largest=np.int64,
    received_low=np.uint64,
    received_high=np.uint64,
    received_ns=np.int64,
    heard_ns=np.int64,
    phase_since=np.int64,
    # What it has sent: packet numbers below *tracked_from* are the kernels' own.
    tracked_from=np.int64,
    unacked_from=np.int64,
    recovery_number=np.int64,
    rtt_ns=np.int64,
    acked_ns=np.int64,
    sent=(np.uint64, (SENT_MAX,)),
)
"""One connection.

*sent* holds, by packet number modulo 256, the time in microseconds (32 bits), the size (16) and
the number (16 low bits) of a packet on its way; 0 is none. *ack_since_ns* is when the oldest
packet came that is not acknowledged yet, or 0. *tracked_from* is the lowest packet number that
aioquic waits for, or -1. *phase_since* is the lowest packet number that came in the present key
phase, or NEVER.
"""


def word_of(field: str) -> int:
    """Return where a field of 64 bits stands in a `CONNECTION`, counted in such."""
    fields: Any = CONNECTION.fields
    return int(fields[field][1]) // 8


@kernel(signature("void", CONNECTION, "int64"))
def clear(connection: Record, now_ns: int) -> None:
    """Make a record anew for a connection, all but state, packet numbers and keys."""
    connection.in_flight = 0
    connection.window = WINDOW_MIN
    connection.slow_start_until = WINDOW_MAX
    connection.ack_since_ns = 0
    connection.received_largest = -1
    connection.received_low = connection.received_high = np.uint64(0)
    connection.phase_since = NEVER
    connection.tracked_from = -1
    connection.unacked_from = connection.recovery_number = connection.rtt_ns = 0
    connection.acked_ns = connection.heard_ns = now_ns
    connection.sent[:] = np.uint64(0)
    counts = connection.counts
    counts.packets_in = counts.packets_out = counts.lost = 0
    counts.duplicates = counts.forged = 0


@kernel(signature("void", CONNECTION, PEER, "int64"))
def set_peer(connection: Record, peer: Record, phase_since: int) -> None:
    """Use other keys, another address or another connection id from now on."""
    old = connection.peer
    old.seals, old.masks = peer.seals, peer.masks
    old.opens, old.unmasks, old.opens_before = peer.opens, peer.unmasks, peer.opens_before
    old.key_phase, old.cid_length = peer.key_phase, peer.cid_length
    old.prefix_length, old.address_length = peer.prefix_length, peer.address_length
    copy(old.cid, 0, peer.cid, 0, peer.cid.size)
    copy(old.prefix, 0, peer.prefix, 0, peer.prefix.size)
    copy(old.seal_iv, 0, peer.seal_iv, 0, peer.seal_iv.size)
    copy(old.open_iv, 0, peer.open_iv, 0, peer.open_iv.size)
    copy(old.open_before_iv, 0, peer.open_before_iv, 0, peer.open_before_iv.size)
    copy(old.address, 0, peer.address, 0, peer.address.size)
    old.frame_max, old.ack_delay_shift = peer.frame_max, peer.ack_delay_shift
    connection.phase_since = phase_since
