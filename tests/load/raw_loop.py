"""The floor: what sealing and sending alone cost on this machine, in C, paced like the servers."""

import ctypes
import math
import shutil
import subprocess
from pathlib import Path
from typing import Final

from tests.load.udp_crowd import FRAME_SECONDS, RECEIVE_BYTES

SOURCE: Final = Path(__file__).with_name("raw_loop.c")
DATAGRAM_BYTES: Final = 154
"""What one frame of 100 bytes of Opus makes: VX1's 24 bytes, DATAGRAM's 3, and QUIC's 27."""


class _Result(ctypes.Structure):
    _fields_ = (
        ("cpu_ns", ctypes.c_uint64),
        ("sent", ctypes.c_uint64),
        ("received", ctypes.c_uint64),
    )


def build(folder: Path) -> ctypes.CDLL | None:
    """Compile the loop into *folder*; None where there is no C compiler or no OpenSSL 3."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        return None
    library = folder / "raw_loop.so"
    arguments = [compiler, "-O2", "-shared", "-fPIC", "-o", library, SOURCE, "-l:libcrypto.so.3"]
    if subprocess.run(arguments, check=False).returncode != 0:
        return None
    loaded = ctypes.CDLL(str(library))
    loaded.run.argtypes = [
        *[ctypes.c_int] * 4, ctypes.c_long, *[ctypes.c_int] * 2, ctypes.POINTER(_Result),
    ]  # fmt: skip
    return loaded


def measure(library: ctypes.CDLL, case: tuple[int, int, int], seconds: float) -> float:
    """Return us of CPU for each datagram: *case* is rooms, members and speakers of each."""
    rooms, members, speakers = case
    step = FRAME_SECONDS / (rooms * speakers)
    at_once = -(-rooms * members // (rooms * speakers))
    result = _Result()
    status = library.run(
        rooms, members - 1, DATAGRAM_BYTES, math.floor(seconds / step), int(step * 1e9),
        at_once, RECEIVE_BYTES, ctypes.byref(result),
    )  # fmt: skip
    if status or result.received != result.sent:
        raise RuntimeError(f"{result.sent} were sent and {result.received} came: {status}")
    return result.cpu_ns / result.sent / 1000
