"""A table from connection ids to places: open addressing over arrays of a power of two."""

from collections.abc import Iterable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sidetone.native import kernel, signature
from sidetone.quic.wire import Bytes, int64

Keys = NDArray[np.uint64]
Places = NDArray[np.int32]

FREE: Final = -1
_GONE: Final = -2
_HASH: Final = 0x9E3779B97F4A7C15


def new_table(size: int) -> tuple[Keys, Places]:
    """Make an empty table for less than *size* ids, a power of two.

    All of its memory is taken now: ids are random, so a few would take it page by page.
    """
    return np.full(size, 0, np.uint64), np.full(size, FREE, np.int32)


def keys_of(ids: Iterable[bytes]) -> Keys:
    """Read connection ids of ours as numbers, each as `key_of` reads one."""
    return np.array([int.from_bytes(each[:8], "big") for each in ids], np.uint64)


@kernel(signature("int64", "uint8[::1]", "int64"))
def key_of(data: Bytes, at: int) -> np.uint64:
    """Read the eight bytes of a connection id of ours as one number."""
    key = np.uint64(0)
    for k in range(8):
        key = key << np.uint64(8) | np.uint64(data[at + k])
    return key


@kernel("int64(uint64[::1], int32[::1], uint64)")
def find(keys: Keys, rows: Places, key: np.uint64) -> int:
    """Return the place of *key* in the table, or -1. Open addressing."""
    last = keys.size - 1
    place = int64(key * np.uint64(_HASH) >> np.uint64(32)) & last
    for _ in range(keys.size):
        if rows[place] == FREE:
            return -1
        if rows[place] >= 0 and keys[place] == key:
            return place
        place = place + 1 & last
    return -1


@kernel("void(uint64[::1], int32[::1], uint64, int64)")
def add(keys: Keys, rows: Places, key: np.uint64, row: int) -> None:
    """Let *key* lead to *row*; a full table takes no more, and aioquic gets those packets."""
    last = keys.size - 1
    place = int64(key * np.uint64(_HASH) >> np.uint64(32)) & last
    for _ in range(keys.size):
        if rows[place] < 0:
            keys[place] = key
            rows[place] = row
            return
        place = place + 1 & last


@kernel("void(uint64[::1], int32[::1], uint64)")
def remove(keys: Keys, rows: Places, key: np.uint64) -> None:
    """Forget *key*; places behind the last that is used become free again."""
    place = find(keys, rows, key)
    if place < 0:
        return
    last = keys.size - 1
    rows[place] = _GONE
    if rows[place + 1 & last] != FREE:
        return
    while rows[place] == _GONE:
        rows[place] = FREE
        place = place - 1 & last
