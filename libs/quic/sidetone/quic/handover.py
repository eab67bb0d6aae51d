"""What asyncio does to the record of a connection: each function holds the lock for a moment.

Records come as arrays of one: numba takes a microsecond to look at a call with such, and ten where
a record stands by itself.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sidetone.native import Records, kernel, signature
from sidetone.quic import cids, connections, received, system
from sidetone.quic.connections import BUSY, CONNECTION, ON, PEER
from sidetone.quic.system import Lock


class Guarded(NamedTuple):
    """What connections of one media thread share: its lock, and its table of connection ids."""

    lock: Any
    cid_keys: Any
    cid_rows: Any


@kernel(signature("int64", "uint8[::1]", [CONNECTION]))
def begin_sending(lock: Lock, one: Records) -> int:
    """Let aioquic send, beginning with the packet number that is returned.

    Until it is done kernels send nothing here: a packet number must not be used twice.
    """
    system.acquire(lock)
    connection = one[0]
    if connection.state == ON:
        connection.state = BUSY
    number = connection.next_number
    system.release(lock)
    return number


@kernel(signature("void", "uint8[::1]", [CONNECTION], [PEER], "int64"))
def set_peer(lock: Lock, one: Records, peer: Records, phase_since: int) -> None:
    """Use other keys, another address or another connection id from now on."""
    system.acquire(lock)
    connections.set_peer(one[0], peer[0], phase_since)
    system.release(lock)


@kernel(signature("void", "uint8[::1]", [CONNECTION], "int64[::1]", "int64"))
def note_received(lock: Lock, one: Records, numbers: NDArray[np.int64], now_ns: int) -> None:
    """Take over packets that aioquic has received."""
    system.acquire(lock)
    for number in numbers:
        received.note(one[0], number, now_ns)
    system.release(lock)


@kernel("void(uint8[::1], uint64[::1], int32[::1], uint64[::1], int64)")
def add_cids(lock: Lock, keys: cids.Keys, rows: cids.Places, fresh: cids.Keys, row: int) -> None:
    """Let packets for the connection ids *fresh* be of *row*."""
    system.acquire(lock)
    for key in fresh:
        cids.add(keys, rows, key, row)
    system.release(lock)


@kernel("void(uint8[::1], uint64[::1], int32[::1], uint64[::1])")
def remove_cids(lock: Lock, keys: cids.Keys, rows: cids.Places, gone: cids.Keys) -> None:
    """Let packets for the connection ids *gone* be aioquic's again."""
    system.acquire(lock)
    for key in gone:
        cids.remove(keys, rows, key)
    system.release(lock)
