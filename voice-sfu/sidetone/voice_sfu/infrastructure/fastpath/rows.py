"""What the kernels know of each connection: one record, and rooms as lists of records.

Fields are in the order in which a forwarded packet touches them. Python changes a record only
through the kernels of `control`, which hold the lock.
"""

from typing import Final

import numpy as np

from sidetone.native import layout

ROWS_MAX: Final = 8192
ROOMS_MAX: Final = 4096
ROOM_MEMBERS_MAX: Final = 1000
SENT_MAX: Final = 256
"""Packets of a connection that can be on their way at once; older ones count as lost."""
FRAMES_MAX: Final = 8
"""Frames that one packet to a listener can carry."""
WINDOW_BITS: Final = 128
"""How far back a packet number can be told from one that came before."""

NEVER: Final = (1 << 63) - 1

OFF: Final = 0
ON: Final = 1
BUSY: Final = 2
"""States of a row: nobody's or aioquic's alone; the kernels'; aioquic's while it sends."""

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

COUNTS: Final = layout(
    frames_in=np.int64,
    bytes_in=np.int64,
    frames_out=np.int64,
    bytes_out=np.int64,
    drops=(np.int64, (16,)),
    packets_out=np.int64,
    packets_in=np.int64,
    lost=np.int64,
    duplicates=np.int64,
    forged=np.int64,
)
"""Sums since the row was taken, meters' first; *drops* as `routing` numbers them."""

ROW: Final = layout(
    state=np.int64,
    hears=np.int64,
    frames=(np.int16, (FRAMES_MAX,)),
    frames_waiting=np.int64,
    frames_bytes=np.int64,
    next_number=np.int64,
    in_flight=np.int64,
    window=np.int64,
    slow_start_until=np.int64,
    largest_acked=np.int64,
    ack_since_ns=np.int64,
    ack_listed=np.int64,
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
    # Its place.
    room=np.int64,
    place=np.int64,
    sender=np.int64,
    speaks=np.int64,
    # What it may send.
    packets=np.float64,
    bits=np.float64,
    filled_ns=np.int64,
    second=np.int64,
    second_arrivals=np.float64,
    second_packets=np.float64,
    second_bits=np.float64,
    full_arrivals=np.int64,
    full_packets=np.int64,
    full_bits=np.int64,
    flooded=np.int64,
    counts=COUNTS,
    sent=(np.uint64, (SENT_MAX,)),
)
"""One connection.

*frames* are the places of frames that wait to go out to it in this batch. *sent* holds, by packet
number modulo 256, the time in microseconds (32 bits), the size (16) and the number (16 low bits)
of a packet on its way; 0 is none. *ack_since_ns* is when the oldest packet came that is not
acknowledged yet, or 0. *tracked_from* is the lowest packet number that aioquic waits for, or -1.
*phase_since* is the lowest packet number that came in the present key phase, or NEVER.
"""
