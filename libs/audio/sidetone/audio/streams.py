"""The two calls by which the audio loops hear and speak, whatever the device is.

They block for a hop of 240 samples (5 ms at 48 kHz, float32), but never for more than two seconds,
allocate nothing and take no interpreter lock.
"""

import numpy as np
from numpy.typing import NDArray

from sidetone.audio import Samples
from sidetone.audio.driver_streams import read_driver, write_driver
from sidetone.audio.memory_streams import read_memory, write_memory
from sidetone.audio.stream_layout import STREAM, WITHDRAWN
from sidetone.native import Record, atomics, kernel, signature


@kernel(signature("int64", STREAM, "float32[::1]"))
def read_hop(stream: Record, out: Samples) -> int:
    """Block for the next 240 samples; returns when the first was spoken, ns, or a failure < 0.

    Time is that of `native.clock.now_ns`. A failure is `STALLED`, `WITHDRAWN` or the driver's own
    number; after one the stream is of no more use.
    """
    if atomics.load(stream.ended, 0) != 0:
        return WITHDRAWN
    at = read_memory(stream, out) if stream.transfer_at == 0 else read_driver(stream, out)
    if at >= 0:
        stream.hops += 1
    return at


@kernel(signature("int64", STREAM, "float32[::1]", "float32[::1]"))
def write_hop(stream: Record, left: Samples, right: Samples) -> int:
    """Let 240 samples be heard, and block until the next ones are due.

    Returns when the first is heard, ns, or a failure below 0 as `read_hop` does. What comes next
    can be made as late, that is as fresh, as possible.
    """
    if atomics.load(stream.ended, 0) != 0:
        return WITHDRAWN
    at = (
        write_memory(stream, left, right)
        if stream.transfer_at == 0
        else write_driver(stream, left, right)
    )
    if at >= 0:
        stream.hops += 1
    return at


@kernel("void(int64[::1])")
def _store_ended(ended: NDArray[np.int64]) -> None:
    atomics.store(ended, 0, 1)


def end(stream: Record) -> None:
    """Let the next call of `read_hop` or `write_hop` fail with `WITHDRAWN`; from any thread."""
    _store_ended(stream.ended)
