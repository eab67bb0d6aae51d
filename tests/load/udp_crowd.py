"""What crowds of clients share, whatever they speak: sockets, arrivals, pacing, costs of a server.

Receivers are emptied on a timer, in turn, so that no server pays for waking them up; when a
datagram came is what the kernel stamped on it, so the timer does not show in delays.
"""

import socket
import time
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sidetone.native import kernel, parts, signature
from sidetone.native.clock import now_ns, sleep
from sidetone.quic import batches, system
from sidetone.quic.batches import (
    BATCH,
    DATAGRAM_BYTES_MAX,
    RECEIVED_MAX,
    Batch,
)
from sidetone.quic.wire import int64

HOST: Final = "127.0.0.1"
FRAME_SECONDS: Final = 0.02
OPUS_BYTES: Final = 100
RECEIVE_BYTES: Final = 1 << 20
"""The receive buffer of every client's socket, whichever server it talks to."""
SETTLE_SECONDS: Final = 0.3
"""How long after the last frame the receivers are emptied once more."""

_SO_TIMESTAMPNS: Final = 35
_CONTROL_BYTES: Final = 64
_CONTROL: Final = 4
_CONTROL_LENGTH: Final = 5
_STAMP_AT: Final = 16
_BIN_NS: Final = 5_000
_BINS: Final = 100_000
_NS_PER_SECOND: Final = 1_000_000_000
_NS_PER_MS: Final = 1_000_000


def open_socket(port: int) -> socket.socket:
    """Return a client's socket, connected to the server on *port*."""
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BYTES)
    made.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
    made.bind((HOST, 0))
    made.connect((HOST, port))
    made.setblocking(False)
    return made


class Arrivals(NamedTuple):
    """Datagrams that came in one batch, and what the kernel says of each; see `new_arrivals`."""

    batch: Any
    control: Any


ARRIVALS: Final = parts(Arrivals, batch=BATCH, control="int64[:, ::1]")


def new_arrivals() -> Arrivals:
    """Make room for a batch."""
    batch: Batch = batches.new_batch(RECEIVED_MAX, DATAGRAM_BYTES_MAX)
    control = np.zeros((RECEIVED_MAX, _CONTROL_BYTES // 8), np.int64)
    for k in range(RECEIVED_MAX):
        batch.headers[k, _CONTROL] = control[k].ctypes.data
    return Arrivals(batch, control)


@kernel(signature("int64", ARRIVALS, "int64"))
def collect(arrivals: Arrivals, descriptor: int) -> int:
    """Take what has come to a socket, one batch at most, without waiting; returns how many."""
    for k in range(RECEIVED_MAX):
        arrivals.batch.headers[k, _CONTROL_LENGTH] = np.uint64(_CONTROL_BYTES)
    return max(int64(0), batches.receive(arrivals.batch, descriptor, system.DONT_WAIT))


@kernel(signature("int64", ARRIVALS, "int64"))
def arrived_ns(arrivals: Arrivals, which: int) -> int:
    """Tell when a datagram came, by the clock of the day (CLOCK_REALTIME)."""
    word = _STAMP_AT // 8
    return arrivals.control[which, word] * _NS_PER_SECOND + arrivals.control[which, word + 1]


@kernel("void(int64)")
def sleep_until(due_ns: int) -> None:
    """Sleep until the monotonic clock says *due_ns*, a wake-up later."""
    sleep(due_ns - now_ns())


# --- how late ---


def day_ahead_ns() -> int:
    """Tell by how much the clock of the day is ahead of the monotonic one."""
    return time.time_ns() - time.monotonic_ns()


def new_histogram() -> NDArray[np.int64]:
    """Make a histogram of delays up to half a second."""
    return np.zeros(_BINS, np.int64)


@kernel("void(int64[::1], int64)")
def count_delay(histogram: NDArray[np.int64], delay_ns: int) -> None:
    """Count one delay."""
    histogram[min(max(delay_ns // _BIN_NS, int64(0)), int64(_BINS - 1))] += 1


def percentile_ms(histogram: NDArray[np.int64], percent: float) -> float:
    """Return the delay below which *percent* of those that were counted lie."""
    total = int(histogram.sum())
    if total == 0:
        return float("nan")
    place = int(np.searchsorted(np.cumsum(histogram), total * percent / 100))
    return (place + 1) * _BIN_NS / _NS_PER_MS


# --- what a server costs ---


class Watched:
    """A server's process, seen from outside."""

    def __init__(self, pid: int) -> None:
        self._folder = Path(f"/proc/{pid}")

    def cpu_ns(self) -> int:
        """Return the processor time of all its threads; finer than the ticks of its `stat`."""
        files = self._folder.glob("task/*/schedstat")
        return sum(int(file.read_text().split()[0]) for file in files)

    def rss_kib(self) -> int:
        """Return the memory that it holds."""
        status = (self._folder / "status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0])
