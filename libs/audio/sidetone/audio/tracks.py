"""Sound together with the clock it was spoken or heard at: what measurements are made of.

A track is plain memory, so that the audio loops can write to it: frames of 480 samples (float32,
48 kHz mono) and, for each, the time of its first sample and how many hops before it went missing.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sidetone.audio import FRAME_MS, FRAME_SAMPLES, HOP_NS, HOP_SAMPLES, Frame, Samples
from sidetone.native import Record, atomics, kernel, layout, records, signature
from sidetone.native.functions import floats_at, words_at

PEN: Final = layout(
    words_at=np.uintp, sound_at=np.uintp, frames=np.int64, half=np.int64, missed=np.int64
)
"""What writes to a track: where it is, how many frames fit (0: no track), a half-written frame."""

# The words: how many frames were ever written, in a cache line of its own; then two per frame.
_FIRST: Final = 8


@kernel(signature("void", PEN, "float32[::1]", "int64", "int64"))
def _half(pen: Record, hop: Samples, at_ns: int, skipped: int) -> None:
    words = words_at(pen.words_at, _FIRST + 2 * pen.frames)
    slot = words[0] % pen.frames
    sound = floats_at(pen.sound_at, pen.frames * FRAME_SAMPLES)
    begin = slot * FRAME_SAMPLES + pen.half * HOP_SAMPLES
    for i in range(HOP_SAMPLES):
        sound[begin + i] = hop[i]
    if pen.half == 0:
        words[_FIRST + 2 * slot] = at_ns
        words[_FIRST + 2 * slot + 1] = skipped
        pen.half = 1
    else:
        pen.half = 0
        atomics.store(words, 0, words[0] + 1)


@kernel(signature("int64", PEN))
def finish(pen: Record) -> int:
    """Fill up a half-written frame with silence; returns how many hops that was, 0 or 1."""
    if pen.frames == 0 or pen.half == 0:
        return 0
    words = words_at(pen.words_at, _FIRST + 2 * pen.frames)
    sound = floats_at(pen.sound_at, pen.frames * FRAME_SAMPLES)
    begin = (words[0] % pen.frames) * FRAME_SAMPLES + HOP_SAMPLES
    for i in range(HOP_SAMPLES):
        sound[begin + i] = 0.0
    pen.half = 0
    atomics.store(words, 0, words[0] + 1)
    return 1


@kernel(signature("void", PEN, "float32[::1]", "int64", "int64"))
def keep(pen: Record, hop: Samples, at_ns: int, missed: int) -> None:
    """Write 240 samples that sounded at *at_ns*, after *missed* hops that never were.

    Two hops make a frame; where hops are missing in its middle, silence takes their place.
    """
    if pen.frames > 0:
        if missed > 0:
            missed -= finish(pen)
        _half(pen, hop, at_ns, missed)


@kernel("int64(int64[::1])")
def _written(words: NDArray[np.int64]) -> int:
    return atomics.load(words, 0)


class Track:
    """The latest frames of one stream, each with the time of its first sample.

    Bounded: beyond *seconds_max* the oldest frames fall out. One thread writes, by `append` or
    from a kernel with a copy of `pen`; others may read meanwhile. Memory is used as it is filled.
    """

    def __init__(self, seconds_max: float = 120.0) -> None:
        self._frames_max = max(1, int(seconds_max * 1000) // FRAME_MS)
        # One slot more than can be read: the one that is being written.
        slots = self._frames_max + 1
        self._words = np.zeros(_FIRST + 2 * slots, np.int64)
        self._sound = np.zeros((slots, FRAME_SAMPLES), np.float32)
        self.pen: Any = records(PEN, 1)[0]
        self.pen.words_at = self._words.ctypes.data
        self.pen.sound_at = self._sound.ctypes.data
        self.pen.frames = slots

    def append(self, frame: Frame, at_ns: int) -> None:
        """Keep *frame*, any number of hops, the first sample of which sounded at *at_ns*."""
        hops = np.ascontiguousarray(frame, np.float32).reshape(-1, HOP_SAMPLES)
        for number, hop in enumerate(hops):
            keep(self.pen, hop, at_ns + number * HOP_NS, 0)

    def __len__(self) -> int:
        return min(_written(self._words), self._frames_max)

    @property
    def written(self) -> int:
        """How many frames were ever written."""
        return _written(self._words)

    def read(self, first: int = 0) -> "Frames":
        """Copy the frames from number *first* on, as far back as they are still kept."""
        end = _written(self._words)
        first = min(max(first, end - self._frames_max), end)
        slots = np.arange(first, end) % (self._frames_max + 1)
        notes, sound = self._words[_FIRST:].reshape(-1, 2)[slots], self._sound[slots]
        # What was overwritten while it was copied is given up.
        lost = max(0, _written(self._words) - self._frames_max - first)
        return Frames(first + lost, notes[lost:, 0], notes[lost:, 1], sound[lost:])

    def between(self, from_ns: int, to_ns: int) -> "Track":
        """Return the frames that began in this span, as a track of their own."""
        early = np.flatnonzero(self.times_ns() < from_ns)
        kept = self.read(self.written - len(self) + (int(early[-1]) + 1 if early.size else 0))
        cut = Track(len(kept.times_ns) * FRAME_MS / 1000)
        for at_ns, frame in zip(kept.times_ns, kept.sound, strict=True):
            if from_ns <= at_ns < to_ns:
                cut.append(frame, int(at_ns))
        return cut

    def samples(self) -> Samples:
        """Return everything kept as one array, without regard to gaps in time."""
        return self.read().sound.reshape(-1)

    def times_ns(self) -> NDArray[np.int64]:
        """Return the time of the first sample of every frame."""
        return self.read().times_ns


@dataclass(frozen=True, slots=True)
class Frames:
    """A copy of what a track held: frame *first* and those after it.

    *sound* is of shape (frames, 480); before frame *n* went *missed[n]* hops missing.
    """

    first: int
    times_ns: NDArray[np.int64]
    missed: NDArray[np.int64]
    sound: Samples
