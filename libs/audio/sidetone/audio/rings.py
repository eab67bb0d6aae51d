"""Rings between two threads, one that puts and one that takes, without a lock.

A ring is an array of slots and two words, how many were put and how many were taken; each word has
one writer. Whoever finds a ring full does not put, and counts it; who takes may skip the oldest.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from sidetone.audio import HOP_SAMPLES, Samples
from sidetone.e2ee.audio_frames import JOB
from sidetone.native import Record, Records, kernel, layout, records, signature
from sidetone.native.atomics import load, store

FRAME_BYTES: Final = 1000
SENT_SLOTS: Final = 64
"""More than 200 ms of the shortest frames, between capture and network."""
ARRIVED_SLOTS: Final = 1024
"""200 ms of fifty speakers, between network and playback."""

STALE_NS: Final = 200_000_000
"""A frame that has waited longer to be sent would be heard too late."""

# The words of a ring; each has a cache line of its own, since another thread writes each.
PUT: Final = 0
TAKEN: Final = 8
FULL: Final = 16
_WORDS: Final = 24

Words = NDArray[np.int64]

FRAME_SLOT: Final = layout(at_ns=np.int64, length=np.int64, frame=(np.uint8, (FRAME_BYTES,)))
"""A sealed frame, and when it was captured or arrived."""

PACKET_SLOT: Final = layout(
    at_ns=np.int64,
    sender=np.int64,
    epoch=np.int64,
    counter=np.int64,
    end=np.int64,
    samples=np.int64,
    length=np.int64,
    opus=(np.uint8, (FRAME_BYTES,)),
)
"""An Opus packet in the clear, on its way to a recording; *samples* is its duration at 48 kHz."""

HOP_SLOT: Final = layout(at_ns=np.int64, sender=np.int64, samples=(np.float32, (HOP_SAMPLES,)))
"""Five milliseconds of one speaker's sound."""

_BYTES: Final = "Bytes(uint8, 1, 'C', readonly=True)"


def new_words() -> Words:
    """Make the words of an empty ring."""
    return np.zeros(_WORDS, np.int64)


@kernel("boolean(int64[::1], int64)")
def has_room(words: Words, slots: int) -> bool:
    """Tell whether a ring of *slots* takes one more; counts it if not. For the one who puts."""
    if words[PUT] - load(words, TAKEN) < slots:
        return True
    store(words, FULL, words[FULL] + 1)
    return False


@kernel("int64(int64[::1])")
def waiting(words: Words) -> int:
    """Count what was put and not taken. For either side."""
    return load(words, PUT) - load(words, TAKEN)


@kernel("void(int64[::1])")
def put_one(words: Words) -> None:
    """Let the other side see the slot that was filled."""
    store(words, PUT, words[PUT] + 1)


@kernel("void(int64[::1], int64)")
def take_some(words: Words, count: int) -> None:
    """Give *count* slots back to the side that fills them."""
    store(words, TAKEN, words[TAKEN] + count)


# --- Sealed frames ---


@kernel(signature("boolean", [FRAME_SLOT], "int64[::1]", JOB, "int64", "int64"))
def put_frame(slots: Records, words: Words, job: Record, length: int, at_ns: int) -> bool:
    """Put the first *length* bytes of the job's frame, at most 1,000."""
    if not has_room(words, slots.size):
        return False
    slot = slots[words[PUT] % slots.size]
    slot.at_ns = at_ns
    slot.length = min(length, FRAME_BYTES)
    for at in range(slot.length):
        slot.frame[at] = job.frame[at]
    put_one(words)
    return True


@kernel(signature("boolean", [FRAME_SLOT], "int64[::1]", _BYTES, "int64"))
def put_bytes(slots: Records, words: Words, frame: bytes, at_ns: int) -> bool:
    """Put a frame that came from the network; one that is longer than 1,000 bytes is cut there.

    Its tag is cut off with it, so it will not open.
    """
    if not has_room(words, slots.size):
        return False
    slot = slots[words[PUT] % slots.size]
    slot.at_ns = at_ns
    slot.length = min(len(frame), FRAME_BYTES)
    for at in range(slot.length):
        slot.frame[at] = frame[at]
    put_one(words)
    return True


@kernel(signature("boolean", [FRAME_SLOT], "int64[::1]", "uint8[::1]", "int64", "int64", "int64"))
def put_part(
    slots: Records, words: Words, data: NDArray[np.uint8], start: int, length: int, at_ns: int
) -> bool:
    """Put the *length* bytes of *data* at *start* as `put_bytes` does, from a kernel."""
    if not has_room(words, slots.size):
        return False
    slot = slots[words[PUT] % slots.size]
    slot.at_ns = at_ns
    slot.length = min(length, FRAME_BYTES)
    for at in range(slot.length):
        slot.frame[at] = data[start + at]
    put_one(words)
    return True


@kernel(signature("int64", [FRAME_SLOT], "int64[::1]", JOB))
def take_frame(slots: Records, words: Words, job: Record) -> int:
    """Take the oldest frame into the job; returns when it arrived, or -1 where none waits."""
    if waiting(words) == 0:
        return -1
    slot = slots[words[TAKEN] % slots.size]
    job.length = slot.length
    for at in range(slot.length):
        job.frame[at] = slot.frame[at]
    at_ns: int = slot.at_ns
    take_some(words, 1)
    return at_ns


# --- Hops of sound ---


@kernel(signature("boolean", [HOP_SLOT], "int64[::1]", "float32[::1]", "int64", "int64"))
def put_hop(slots: Records, words: Words, hop: Samples, sender: int, at_ns: int) -> bool:
    """Put 240 samples of *sender*."""
    if not has_room(words, slots.size):
        return False
    slot = slots[words[PUT] % slots.size]
    slot.at_ns = at_ns
    slot.sender = sender
    for at in range(HOP_SAMPLES):
        slot.samples[at] = hop[at]
    put_one(words)
    return True


@kernel(signature("boolean", [HOP_SLOT], "int64[::1]", "float32[::1]", "int64"))
def take_hop(slots: Records, words: Words, hop: Samples, keep: int) -> bool:
    """Take the oldest hop, after skipping so many that at most *keep* are left behind it.

    Silence, and False, where none waits.
    """
    behind = waiting(words)
    if behind == 0:
        for at in range(HOP_SAMPLES):
            hop[at] = 0.0
        return False
    if behind > keep + 1:
        take_some(words, behind - keep - 1)
    slot = slots[words[TAKEN] % slots.size]
    for at in range(HOP_SAMPLES):
        hop[at] = slot.samples[at]
    take_some(words, 1)
    return True


class Ring:
    """Slots and their words together, from Python's side."""

    def __init__(self, dtype: np.dtype[np.void], slots: int) -> None:
        self.slots: Records = records(dtype, slots)
        self.words = new_words()

    def drain(self) -> list[Record]:
        """Return copies of all slots that wait, oldest first, and give the slots back."""
        count = waiting(self.words)
        first = int(self.words[TAKEN])
        size = self.slots.size
        taken = [self.slots[at % size].copy() for at in range(first, first + count)]
        take_some(self.words, count)
        return taken
