"""What asyncio does to the record of a connection: each function holds the lock for a moment."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sidetone.native import Record, kernel, signature
from sidetone.quic import cids, connections, received, system
from sidetone.quic.connections import BUSY, CONNECTION, ON, PEER
from sidetone.quic.system import Lock
from sidetone.quic.wire import Bytes


class Guarded(NamedTuple):
    """What connections of one media thread share: its lock, and its table of connection ids."""

    lock: Any
    cid_keys: Any
    cid_rows: Any


@kernel(signature("int64", "uint8[::1]", CONNECTION))
def begin_sending(lock: Lock, connection: Record) -> int:
    """Let aioquic send, beginning with the packet number that is returned.

    Until it is done kernels send nothing here: a packet number must not be used twice.
    """
    system.acquire(lock)
    if connection.state == ON:
        connection.state = BUSY
    number = connection.next_number
    system.release(lock)
    return number


@kernel(signature("void", "uint8[::1]", CONNECTION, PEER, "int64"))
def set_peer(lock: Lock, connection: Record, peer: Record, phase_since: int) -> None:
    """Use other keys, another address or another connection id from now on."""
    system.acquire(lock)
    connections.set_peer(connection, peer, phase_since)
    system.release(lock)


@kernel(signature("void", "uint8[::1]", CONNECTION, "int64[::1]", "int64"))
def note_received(lock: Lock, connection: Record, numbers: NDArray[np.int64], now_ns: int) -> None:
    """Take over packets that aioquic has received."""
    system.acquire(lock)
    for number in numbers:
        received.note(connection, number, now_ns)
    system.release(lock)


@kernel("void(uint8[::1], uint64[::1], int32[::1], uint8[::1], int64)")
def add_cid(lock: Lock, keys: cids.Keys, rows: cids.Places, cid: Bytes, row: int) -> None:
    """Let packets for *cid* be of *row*."""
    system.acquire(lock)
    cids.add(keys, rows, cids.key_of(cid, 0), row)
    system.release(lock)


@kernel("void(uint8[::1], uint64[::1], int32[::1], uint8[::1])")
def remove_cid(lock: Lock, keys: cids.Keys, rows: cids.Places, cid: Bytes) -> None:
    """Let packets for *cid* be aioquic's again."""
    system.acquire(lock)
    cids.remove(keys, rows, cids.key_of(cid, 0))
    system.release(lock)
