"""System calls that kernels make: datagrams in batches, and a lock that Python can share.

Linux only: elsewhere there is no call for a batch, and the plain server runs instead.
"""

import ctypes
import sys
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sidetone.native import kernel
from sidetone.native.functions import address_in, named

AVAILABLE: Final = sys.platform == "linux" and ctypes.sizeof(ctypes.c_void_p) == 8  # noqa: PLR2004
"""Whether this system has them."""

DONT_WAIT: Final = 0x40
WAIT_FOR_ONE: Final = 0x10000

_libc: Final = ctypes.CDLL(None) if AVAILABLE else None
_LOCK_BYTES: Final = 64


def _function(name: str, returns: str, takes: str) -> Any:  # noqa: ANN401
    return named(name, address_in(_libc, name) if _libc else 0, returns, takes)


recvmmsg = _function("recvmmsg", "i", "ipiip")
sendmmsg = _function("sendmmsg", "i", "ipii")
memcpy = _function("memcpy", "p", "ppn")
write = _function("write", "l", "ipn")
read = _function("read", "l", "ipn")
poll = _function("poll", "i", "pni")
_lock = _function("pthread_mutex_lock", "i", "p")
_unlock = _function("pthread_mutex_unlock", "i", "p")

Lock = NDArray[np.uint8]


def new_lock() -> Lock:
    """Make a mutex that is free; zeros are one on Linux."""
    return np.zeros(_LOCK_BYTES, np.uint8)


@kernel("void(uint8[::1])")
def acquire(lock: Lock) -> None:
    """Wait for *lock* and hold it; for a microsecond or two, since the media thread needs it."""
    _lock(lock.ctypes.data)


@kernel("void(uint8[::1])")
def release(lock: Lock) -> None:
    """Give *lock* back."""
    _unlock(lock.ctypes.data)
