"""Devices that need no hardware: rings of samples, or silence, at the pace of the clock.

Deadlines are absolute, every 5 ms from the first call on, so nothing drifts. A caller up to 200 ms
late catches up; one who was away for longer has missed what lies before, as with a sound card.
"""

from typing import Final

import numpy as np

from sidetone.audio import HOP_NS, HOP_SAMPLES, Samples, sample_rings, tracks
from sidetone.audio.stream_layout import BACKLOG_HOPS_MAX, FILE, LIVE, PATIENT, STREAM, new_stream
from sidetone.native import Record, kernel, signature
from sidetone.native.clock import now_ns, sleep

BEHIND_HOPS_MAX: Final = 40


@kernel(signature("int64", STREAM))
def _begin(s: Record) -> int:
    """Say how many hops the caller has missed, and go on with the first that it has not."""
    now = now_ns()
    if s.due_ns == 0:
        s.due_ns = now
    missed = (now - s.due_ns) // HOP_NS
    if missed <= BEHIND_HOPS_MAX:
        return 0
    s.due_ns += missed * HOP_NS
    s.missed += missed
    return missed


@kernel(signature("void", STREAM))
def _end(s: Record) -> None:
    s.due_ns += HOP_NS
    sleep(s.due_ns - now_ns())


@kernel(signature("void", STREAM))
def _discard(s: Record) -> None:
    there = sample_rings.waiting(s.ring)
    if s.hops == 0:
        sample_rings.skip(s.ring, there)
    elif there > BACKLOG_HOPS_MAX * HOP_SAMPLES:
        extra = there // HOP_SAMPLES - 1
        sample_rings.skip(s.ring, extra * HOP_SAMPLES)
        s.discarded += extra


@kernel(signature("int64", STREAM, "float32[::1]"))
def read_memory(s: Record, out: Samples) -> int:
    """Wait until a hop is over and read it; returns when it began."""
    missed = _begin(s)
    begun = s.due_ns
    _end(s)
    if s.ring.size == 0:
        for i in range(HOP_SAMPLES):
            out[i] = 0.0
    else:
        if s.policy == FILE:
            sample_rings.skip(s.ring, missed * HOP_SAMPLES)
        elif s.policy == LIVE:
            _discard(s)
        sample_rings.take(s.ring, out, HOP_SAMPLES)
    tracks.keep(s.pen, out, begun, missed)
    return begun


@kernel(signature("int64", STREAM, "float32[::1]", "float32[::1]"))
def write_memory(s: Record, left: Samples, right: Samples) -> int:
    """Write a hop and wait until it is over; returns when it began, late if it came late."""
    missed = _begin(s)
    heard = max(s.due_ns, now_ns())
    for i in range(HOP_SAMPLES):
        s.mono[i] = np.float32(0.5) * (left[i] + right[i])
    if s.ring.size > 0 and sample_rings.put(s.ring, s.mono, HOP_SAMPLES) < HOP_SAMPLES:
        s.discarded += 1
    tracks.keep(s.pen, s.mono, heard, missed)
    _end(s)
    return heard


def memory_stream(
    ring: sample_rings.Ring | None = None,
    *,
    policy: int = PATIENT,
    track: tracks.Track | None = None,
) -> Record:
    """Make a stream from or to *ring*, silent without one; both must live as long as it does."""
    stream = new_stream(track)
    stream.policy = policy
    if ring is not None:
        stream.ring = ring.record
    return stream
