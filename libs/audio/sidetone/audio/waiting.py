"""The packets of one speaker that wait for their time, at most 64. Kernels over one record.

Beyond 64 the oldest is dropped: late voice is worth nothing. Slots are found by search, because
the places of all packets shift when the end of an epoch turns out longer than it had seemed.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from sidetone.audio.codec import PACKET_BYTES_MAX
from sidetone.audio.epochs import NEVER, NOWHERE
from sidetone.native import Record, kernel, layout, signature

PACKETS_MAX: Final = 64

WAITING: Final = layout(
    places=(np.int64, (PACKETS_MAX,)),
    durations=(np.int64, (PACKETS_MAX,)),
    lengths=(np.int64, (PACKETS_MAX,)),
    ends=(np.uint8, (PACKETS_MAX,)),
    opus=(np.uint8, (PACKETS_MAX, PACKET_BYTES_MAX)),
    packets=np.int64,
    samples=np.int64,
)
"""Per slot: index in the stream (``NOWHERE`` is free), samples, bytes, whether a talkspurt ends.

*packets* and *samples* are the sums over all slots.
"""


@kernel(signature("void", WAITING))
def reset(waiting: Record) -> None:
    """Drop everything."""
    for slot in range(PACKETS_MAX):
        waiting.places[slot] = NOWHERE
    waiting.packets = 0
    waiting.samples = 0


@kernel(signature("int64", WAITING, "int64"))
def find(waiting: Record, index: int) -> int:
    """Return the slot of the packet at *index*, or -1."""
    for slot in range(PACKETS_MAX):
        if waiting.places[slot] == index:
            return slot
    return -1


@kernel(signature("int64", WAITING))
def first(waiting: Record) -> int:
    """Return the smallest index that waits; ``NEVER`` where none does."""
    index = NEVER
    for slot in range(PACKETS_MAX):
        if waiting.places[slot] != NOWHERE:
            index = min(index, waiting.places[slot])
    return index


@kernel(signature("int64", WAITING))
def last(waiting: Record) -> int:
    """Return the largest index that waits; ``NOWHERE`` where none does."""
    index = NOWHERE
    for slot in range(PACKETS_MAX):
        index = max(index, waiting.places[slot])
    return index


@kernel(signature("void", WAITING, "int64"))
def free(waiting: Record, slot: int) -> None:
    """Let go of a packet; what its slot says stays readable until the next one comes."""
    waiting.places[slot] = NOWHERE
    waiting.packets -= 1
    waiting.samples -= waiting.durations[slot]


@kernel(signature("void", WAITING, "int64"))
def drop_before(waiting: Record, index: int) -> None:
    """Let go of all packets before *index*."""
    for slot in range(PACKETS_MAX):
        if waiting.places[slot] != NOWHERE and waiting.places[slot] < index:
            free(waiting, slot)


@kernel(signature("void", WAITING, "int64", "int64"))
def shift_from(waiting: Record, index: int, frames: int) -> None:
    """Move all packets from *index* on back by *frames*."""
    for slot in range(PACKETS_MAX):
        if waiting.places[slot] >= index:
            waiting.places[slot] += frames


@kernel(signature("void", WAITING, "int64", "uint8[::1]", "int64", "boolean"))
def put(
    waiting: Record,
    index: int,
    packet: NDArray[np.uint8],
    samples: int,
    end: bool,  # noqa: FBT001
) -> None:
    """Keep a copy of *packet*, 1 to 1275 bytes that hold *samples*, in place of the oldest."""
    if waiting.packets == PACKETS_MAX:
        free(waiting, find(waiting, first(waiting)))
    slot = find(waiting, NOWHERE)
    waiting.places[slot] = index
    waiting.durations[slot] = samples
    waiting.lengths[slot] = packet.size
    waiting.ends[slot] = end
    row = waiting.opus[slot]
    for at in range(packet.size):
        row[at] = packet[at]
    waiting.packets += 1
    waiting.samples += samples
