"""How the capturing thread wakes the network's without the interpreter lock: a byte in a pipe.

Where a kernel cannot write to a pipe (Windows), nobody is woken, and the one who would be looks
every few milliseconds.
"""

import ctypes
import os
import sys
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sidetone.native import kernel
from sidetone.native.functions import address_in, named

CAN_WAKE: Final = sys.platform != "win32"

if CAN_WAKE:
    _write = named("write", address_in(ctypes.CDLL(None), "write"), "l", "ipn")

    @kernel("void(int64, int64[::1])")
    def wake(descriptor: int, words: NDArray[np.int64]) -> None:
        """Wake whoever waits for *descriptor* to be readable; below 0 is nobody.

        The byte that is written is one of *words* and means nothing. A full pipe is left as it
        is: its reader is awake already.
        """
        if descriptor >= 0:
            _write(descriptor, words.ctypes.data, 1)

else:

    @kernel("void(int64, int64[::1])")
    def wake(descriptor: int, words: NDArray[np.int64]) -> None:
        """Do nothing: here the reader looks by itself."""


def open_wake() -> tuple[int, int]:
    """Return the two ends of a wake, (read, write); both -1 where there is none.

    Neither end ever blocks. The reader owns both and closes them.
    """
    if not CAN_WAKE:
        return -1, -1
    read, write = os.pipe()
    for end in (read, write):
        os.set_blocking(end, False)
    return read, write


def close_wake(*descriptors: int) -> None:
    """Close what `open_wake` returned."""
    for descriptor in descriptors:
        if descriptor >= 0:
            os.close(descriptor)
