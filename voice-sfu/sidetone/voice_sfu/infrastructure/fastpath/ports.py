"""A second socket on the unit's port, for packets so small that none of them can be a frame.

Listeners acknowledge ten times a second each. In a small room that would wake the media thread
more often than voices do, and waking is most of what a packet costs there. The system sorts by
length (a classic BPF program, which needs no rights), and the thread looks at the small ones when
a voice has woken it anyway, 40 ms late at most.
"""

import ctypes
import socket
import struct
from typing import Final

import numpy as np

SMALL_BYTES_MAX: Final = 49
"""A packet with a frame is longer: a header of 11 bytes, 2 of DATAGRAM, 24 of VX1, a tag of 16."""

_ATTACH_REUSEPORT_CBPF: Final = 51
_BUFFER_BYTES: Final = 1 << 20
# Load the length; a longer one is for socket 0. Load the first byte; what has no short header is
# for socket 0 as well. The rest is for socket 1.
_PROGRAM: Final = (
    (0x80, 0, 0, 0),
    (0x25, 3, 0, SMALL_BYTES_MAX),
    (0x30, 0, 0, 0),
    (0x54, 0, 0, 0xC0),
    (0x15, 1, 0, 0x40),
    (0x06, 0, 0, 0),
    (0x06, 0, 0, 1),
)


def open_beside(bound: socket.socket) -> socket.socket | None:
    """Open the socket that small packets to the port of *bound* come to; None where none can be.

    *bound* alone must have the port, so that two servers never share one by accident.
    """
    beside = socket.socket(bound.family, socket.SOCK_DGRAM)
    try:
        if bound.family == socket.AF_INET6:
            only = bound.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY)
            beside.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, only)
        for each in (bound, beside):
            each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        beside.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER_BYTES)
        beside.bind(bound.getsockname())
        _attach(beside)
    except OSError:
        beside.close()
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 0)
        return None
    return beside


def _attach(beside: socket.socket) -> None:
    """Have the system sort by `_PROGRAM`: ``struct sock_fprog`` holds its length and address."""
    code = np.frombuffer(
        b"".join(struct.pack("@HBBI", *step) for step in _PROGRAM), np.uint8
    ).copy()
    program = struct.pack("@HP", len(_PROGRAM), ctypes.c_void_p(code.ctypes.data).value)
    beside.setsockopt(socket.SOL_SOCKET, _ATTACH_REUSEPORT_CBPF, program)
