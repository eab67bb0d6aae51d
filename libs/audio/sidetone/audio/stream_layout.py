"""What a device is to the audio loops: one record for each open direction.

Sizes in samples or hops of 240, times in nanoseconds of `native.clock`.
"""

from typing import Any, Final

import numpy as np

from sidetone.audio import sample_rings, tracks
from sidetone.audio.resampling import BLOCK_SAMPLES_MAX, RESAMPLER
from sidetone.native import Record, layout, records

STALLED: Final = -1
"""The device has neither delivered nor taken anything for two seconds."""
WITHDRAWN: Final = -2
"""The device's owner has ended the stream from outside, see `end`."""

BACKLOG_HOPS_MAX: Final = 8
"""More than 40 ms that wait to be read are delay, and thrown away down to one hop."""
PATIENT: Final = 0
"""Of a ring: what nobody read in time is read later."""
FILE: Final = 1
"""Of a ring: what nobody read in time is over, as the clock went on."""
LIVE: Final = 2
"""Of a ring: it is read as it is written, and no longer than 40 ms after."""

STREAM: Final = layout(
    # What happened so far, for anyone to read.
    hops=np.int64,
    missed=np.int64,
    discarded=np.int64,
    xruns=np.int64,
    invalid=np.int64,
    delay_ns=np.int64,
    ended=(np.int64, (1,)),
    # When the next hop begins.
    due_ns=np.int64,
    # Memory.
    policy=np.int64,
    ring=sample_rings.RING,
    pen=tracks.PEN,
    # Calls.
    transfer_at=np.uintp,
    available_at=np.uintp,
    handle=np.uintp,
    rate=np.int64,
    channels=np.int64,
    waited=np.int64,
    room=np.int64,
    queued_max=np.int64,
    left=RESAMPLER,
    right=RESAMPLER,
    raw=(np.float32, (2 * BLOCK_SAMPLES_MAX,)),
    mono=(np.float32, (BLOCK_SAMPLES_MAX,)),
    other=(np.float32, (BLOCK_SAMPLES_MAX,)),
)
"""One open direction of one device.

`missed` hops the caller was too late for, `discarded` hops of backlog were thrown away, `xruns`
were counted by the driver, `invalid` samples were not numbers. `delay_ns` is how long a sample
takes through a resampler.
"""


def new_stream(track: "tracks.Track | None") -> Record:
    """Make a silent stream; *track*, which must live as long, gets a copy of all that passes."""
    stream: Any = records(STREAM, 1)[0]
    if track is not None:
        stream.pen = track.pen
    return stream
