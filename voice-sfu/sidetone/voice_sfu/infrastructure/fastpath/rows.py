"""What the kernels know of each member: one record, and rooms as lists of records.

Fields are in the order in which a forwarded packet touches them. Python changes a record only
through the kernels of `control`, which hold the lock.
"""

from typing import Final

import numpy as np

from sidetone.native import layout
from sidetone.quic.connections import CONNECTION

ROWS_MAX: Final = 8192
ROOMS_MAX: Final = 4096
ROOM_MEMBERS_MAX: Final = 1000
FRAMES_MAX: Final = 8
"""Frames that one packet to a listener can carry."""

COUNTS: Final = layout(
    frames_in=np.int64,
    bytes_in=np.int64,
    frames_out=np.int64,
    bytes_out=np.int64,
    drops=(np.int64, (16,)),
)
"""A meter's sums since the row was taken; *drops* as `routing` numbers them."""

ROW: Final = layout(
    hears=np.int64,
    frames=(np.int16, (FRAMES_MAX,)),
    frames_waiting=np.int64,
    frames_bytes=np.int64,
    ack_listed=np.int64,
    connection=CONNECTION,
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
)
"""One member: its connection, its place in a room, and what it may send.

*frames* are the places of frames that wait to go out to it in this batch.
"""
