"""Bytes as QUIC writes them, and memory in which one byte too many ends the process."""

import ctypes
import mmap
from typing import Any

import numpy as np

_PAGE = mmap.PAGESIZE


def guarded(size: int) -> Any:
    """Return *size* bytes that end where a page begins that nobody may read or write."""
    pages = -(-size // _PAGE)
    memory = mmap.mmap(-1, (pages + 1) * _PAGE)
    view = np.frombuffer(memory, np.uint8)
    libc = ctypes.CDLL(None, use_errno=True)
    address = ctypes.c_void_p(view.ctypes.data + pages * _PAGE)
    assert libc.mprotect(address, ctypes.c_size_t(_PAGE), 0) == 0
    return view[pages * _PAGE - size : pages * _PAGE]


def varint(value: int, size: int = 0) -> bytes:
    """Write *value* as QUIC does, in *size* bytes or in the fewest."""
    size = size or next(size for size in (1, 2, 4, 8) if value < 1 << 8 * size - 2)
    return (value | (size.bit_length() - 1) << 8 * size - 2).to_bytes(size, "big")


def said(frame: bytes) -> bytes:
    """Return *frame* as a DATAGRAM frame with its length."""
    return b"\x31" + varint(len(frame)) + frame
