"""Devices that are a driver behind two C functions with PortAudio's signatures.

At any rate from 8 to 192 kHz, mono or stereo, interleaved float32 from -1 to 1. No call here waits
for more than two seconds, whatever the driver does.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from sidetone.audio import HOP_NS, HOP_SAMPLES, SAMPLE_RATE, Samples, tracks
from sidetone.audio.resampling import Resampler, needed, resample
from sidetone.audio.stream_layout import (
    BACKLOG_HOPS_MAX,
    STALLED,
    STREAM,
    WITHDRAWN,
    new_stream,
)
from sidetone.native import Record, atomics, kernel, signature
from sidetone.native.clock import now_ns, sleep
from sidetone.native.functions import call_count, call_transfer

QUEUED_HOPS: Final = 1
"""How much sound waits in a device that has never run dry, when the next hop is asked for."""
BACKLOG_HOPS_LOST_MAX: Final = 2_000
"""A driver that never has to wait, ten seconds long, does not keep time: it has failed."""
PATIENCE_NS: Final = 2_000_000_000

_OVERFLOWED: Final = -9981
_UNDERFLOWED: Final = -9980
_NS: Final = 1_000_000_000
_POLL_NS: Final = 500_000
_LOUDEST: Final = np.float32(8)


@kernel(signature("int64", STREAM, "int64"))
def _await(s: Record, frames: int) -> int:
    """Wait until the driver has, or has room for, so many frames, and return how many it is.

    By asking, for a driver that waits by itself may do so for ever once its device is gone.
    """
    until = now_ns() + PATIENCE_NS
    s.waited = 0
    while True:
        there = call_count(s.available_at, s.handle)
        if there in (_OVERFLOWED, _UNDERFLOWED):
            s.xruns += 1
            there = 0
        if there < 0 or there >= frames:
            return there
        if atomics.load(s.ended, 0) != 0:
            return WITHDRAWN
        if now_ns() > until:
            return STALLED
        # Most of the time that the sound itself takes is slept away at once, and the rest in small
        # steps: a driver's own are coarser, and every question costs.
        pause = _POLL_NS if s.waited != 0 else (frames - there) * _NS // s.rate * 3 // 4
        s.waited = 1
        sleep(min(max(pause, _POLL_NS), HOP_NS))


@kernel(signature("int64", STREAM, "int64"))
def _transfer(s: Record, frames: int) -> int:
    """Move so many frames between the driver and `raw`; returns 0 or a failure below 0."""
    code = call_transfer(s.transfer_at, s.handle, s.raw.ctypes.data, frames)
    if code in (_OVERFLOWED, _UNDERFLOWED):
        s.xruns += 1
        return 0
    return min(code, 0)


@kernel(signature("int64", STREAM, "int64"))
def _fetch(s: Record, frames: int) -> int:
    """Move the next hop that is not stale into `raw`; returns when it began, or below 0.

    A hop that had to be waited for is fresh, and tells the time. One that was there already
    follows the one before it; is that far from the clock, then much is waiting behind it, also
    where a sound server does not say so. What waited before the first is always stale.
    """
    apart_ns = BACKLOG_HOPS_MAX * HOP_NS
    for _ in range(BACKLOG_HOPS_LOST_MAX):
        there = _await(s, frames)
        if there < 0:
            return there
        now = now_ns()
        if s.waited != 0:
            s.due_ns = now - there * _NS // s.rate
        code = _transfer(s, frames)
        if code < 0:
            return code
        begun = min(s.due_ns, now - frames * _NS // s.rate)
        s.due_ns += HOP_NS
        if s.waited != 0 or abs(now - s.due_ns) <= apart_ns:
            return begun
        s.discarded += 1
        apart_ns = HOP_NS
    return STALLED


@kernel(signature("float32", STREAM, "float32"))
def _number(s: Record, x: float) -> float:
    if -_LOUDEST < x < _LOUDEST:
        return x
    s.invalid += 1
    return 0.0


@kernel(signature("int64", STREAM, "float32[::1]"))
def read_driver(s: Record, out: Samples) -> int:
    """Read a hop at 48 kHz mono, whatever the driver's format; returns its time, or below 0."""
    frames = HOP_SAMPLES if s.left.up == 0 else needed(s.left)
    begun = _fetch(s, frames)
    if begun < 0:
        return begun
    spoken = begun - s.delay_ns
    sound = out if s.left.up == 0 else s.mono
    for i in range(frames):
        if s.channels == 1:
            sound[i] = _number(s, s.raw[i])
        else:
            sound[i] = np.float32(0.5) * (_number(s, s.raw[2 * i]) + _number(s, s.raw[2 * i + 1]))
    if s.left.up != 0:
        resample(s.left, s.mono, frames, out, HOP_SAMPLES)
    tracks.keep(s.pen, out, spoken, 0)
    return spoken


@kernel(signature("int64", STREAM, "float32[::1]", "float32[::1]"))
def _fill(s: Record, left: Samples, right: Samples) -> int:
    """Turn a hop into what the driver takes, in `raw`; returns how many frames that is."""
    frames = HOP_SAMPLES
    if s.left.up != 0:
        frames = resample(s.left, left, HOP_SAMPLES, s.mono, s.mono.size)
        resample(s.right, right, HOP_SAMPLES, s.other, s.other.size)
    else:
        for i in range(frames):
            s.mono[i] = left[i]
            s.other[i] = right[i]
    for i in range(frames):
        if s.channels == 1:
            s.raw[i] = np.float32(0.5) * (s.mono[i] + s.other[i])
        else:
            s.raw[2 * i] = s.mono[i]
            s.raw[2 * i + 1] = s.other[i]
    return frames


@kernel(signature("int64", STREAM, "float32[::1]", "float32[::1]"))
def write_driver(s: Record, left: Samples, right: Samples) -> int:
    """Write a hop in the driver's format; returns when it is heard once the next one is due."""
    xruns = s.xruns
    frames = _fill(s, left, right)
    there = _await(s, frames)
    if there < 0:
        return there
    s.room = max(s.room, there)
    heard = now_ns() + (s.room - there) * _NS // s.rate + s.delay_ns
    code = _transfer(s, frames)
    if code < 0:
        return code
    for i in range(HOP_SAMPLES):
        s.mono[i] = np.float32(0.5) * (left[i] + right[i])
    tracks.keep(s.pen, s.mono, heard, 0)
    # A device that ran dry gets more in advance: its own steps are coarser than ours.
    if s.xruns != xruns and s.hops > 0:
        s.queued_max += frames
    s.queued_max = max(min(s.queued_max, s.room - frames), 0)
    there = _await(s, s.room - s.queued_max)
    return heard if there >= 0 else there


@dataclass(frozen=True, slots=True)
class Driver:
    """Where a driver's functions are, and the format it was opened with.

    *transfer* is ``int f(void *handle, void *sound, unsigned long frames)``, *available* ``long
    f(void *handle)``: how many frames can be moved without waiting. Below zero they have failed.
    """

    transfer: int
    available: int
    handle: int
    rate: int = SAMPLE_RATE
    channels: int = 1


class DriverStream:
    """The record of a driver's stream and the memory that goes with it.

    Raises ``AudioError`` for a rate that cannot be resampled.
    """

    def __init__(
        self, driver: Driver, *, output: bool = False, track: tracks.Track | None = None
    ) -> None:
        stream = new_stream(track)
        stream.transfer_at, stream.available_at = driver.transfer, driver.available
        stream.handle, stream.rate, stream.channels = driver.handle, driver.rate, driver.channels
        stream.queued_max = QUEUED_HOPS * HOP_SAMPLES * driver.rate // SAMPLE_RATE
        self.record: Record = stream
        self._memory: list[Resampler | tracks.Track | None] = [track]
        if driver.rate != SAMPLE_RATE:
            rates = (SAMPLE_RATE, driver.rate) if output else (driver.rate, SAMPLE_RATE)
            for side in (stream.left, stream.right):
                resampler = Resampler(side, *rates)
                stream.delay_ns = resampler.delay_ns
                self._memory.append(resampler)
