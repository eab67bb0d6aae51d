"""What becomes of a packet when it arrives: a place in the stream, and a lesson about the link."""

import numpy as np
from numpy.typing import NDArray

from sidetone.audio import SAMPLE_RATE, epochs, lateness, waiting
from sidetone.audio.codec import PACKET_BYTES_MAX, packet_samples
from sidetone.audio.epochs import NEVER, NOWHERE
from sidetone.audio.jitter_state import (
    CONCEAL_SAMPLES,
    DURATION_MAX_SAMPLES,
    JITTER,
    SAMPLES_PER_MS,
)
from sidetone.audio.waiting import PACKETS_MAX
from sidetone.native import Record, kernel, signature

_LATE_RUN_MAX = 50
_MISSING_FRAMES_MAX = 5
_ACCURACY_MS = 1.0
_NS_PER_MS = 1e6


@kernel(signature("void", JITTER))
def forget_places(jitter: Record) -> None:
    """Take what comes next for a new stream."""
    epochs.reset(jitter.epochs)
    waiting.reset(jitter.waiting)
    for at in range(PACKETS_MAX):
        jitter.missed[at] = NOWHERE
    jitter.missed_at = 0
    jitter.next_index = -1
    jitter.origin_index = -1
    jitter.end_index = -1
    jitter.started = False
    jitter.late_run = 0
    jitter.credit_samples = 0


@kernel(signature("float64", JITTER, "int64"))
def media_ms(jitter: Record, index: int) -> float:
    """Say when in the stream the frame at *index* begins, counted from the origin."""
    return (index - jitter.origin_index) * jitter.frame_samples / SAMPLES_PER_MS


@kernel(signature("int64", JITTER, "int64", "float64"))
def _missing(jitter: Record, counter: int, arrival_ms: float) -> int:
    """Guess how many frames at the end of the old epoch were lost, from the time that passed.

    The guess is low: what ordinary lateness explains does not count as loss.
    """
    if not jitter.started or jitter.epochs.highest <= jitter.end_index:
        return 0
    transit_ms = arrival_ms - media_ms(jitter, jitter.epochs.highest + 1 + counter)
    late_ms = transit_ms - jitter.lateness.base_ms - jitter.lateness.tail_ms
    frames = (late_ms + _ACCURACY_MS) * SAMPLES_PER_MS / jitter.frame_samples
    return int(min(max(frames, 0.0), _MISSING_FRAMES_MAX))


@kernel(signature("int64", JITTER, "int64", "int64", "float64"))
def _place(jitter: Record, epoch: int, counter: int, arrival_ms: float) -> int:
    """Return the index of a packet, or ``NOWHERE``."""
    if epoch > epochs.latest(jitter.epochs):
        missing = _missing(jitter, counter, arrival_ms)
        epochs.begin(jitter.epochs, epoch, counter, missing)
    index = epochs.index_of(jitter.epochs, epoch, counter)
    later = epochs.start_after(jitter.epochs, epoch)
    if index < later or later == NEVER:
        return index
    if later < jitter.next_index:
        return NOWHERE
    # The last packets of an epoch were overtaken by the first of the next: make room.
    frames = index - later + 1
    epochs.shift_after(jitter.epochs, epoch, frames)
    waiting.shift_from(jitter.waiting, later, frames)
    if jitter.origin_index >= later:
        jitter.origin_index += frames
    if jitter.end_index >= later:
        jitter.end_index += frames
    return index


@kernel(signature("boolean", JITTER, "int64"))
def _was_missed(jitter: Record, index: int) -> bool:
    """Say, once, whether the frame at *index* was given up for lost."""
    for at in range(PACKETS_MAX):
        if jitter.missed[at] == index and index != NOWHERE:
            jitter.missed[at] = NOWHERE
            return True
    return False


@kernel(signature("void", JITTER, "int64", "float64"))
def _refuse(jitter: Record, index: int, arrival_ms: float) -> None:
    """Drop a packet whose time is over, but learn how late it was if it was missed.

    Half a second of nothing else is a new stream.
    """
    if _was_missed(jitter, index):
        jitter.late += 1
        lateness.found(jitter.lateness)
        lateness.observe(jitter.lateness, arrival_ms - media_ms(jitter, index))
    else:
        jitter.duplicates += 1
    jitter.late_run += 1
    if jitter.late_run >= _LATE_RUN_MAX:
        forget_places(jitter)
        jitter.resyncs += 1


@kernel(signature("boolean", JITTER, "int64", "float64"))
def _resumes(jitter: Record, index: int, arrival_ms: float) -> bool:
    """Say whether a packet ends a pause: silence, and then later than any link explains."""
    if jitter.waiting.packets > 0 or jitter.invented_samples < CONCEAL_SAMPLES:
        return False
    transit_ms = arrival_ms - media_ms(jitter, index)
    return transit_ms - jitter.lateness.base_ms > lateness.TARGET_MAX_MS


@kernel(signature("void", JITTER, "int64", "int64", "float64"))
def _observe(jitter: Record, index: int, samples: int, arrival_ms: float) -> None:
    """Learn from an arrival; media time begins anew after a pause, an end, or with another size.

    A reordered packet of the size before teaches nothing.
    """
    if _resumes(jitter, index, arrival_ms):
        jitter.started = False
    idle = not jitter.started and jitter.waiting.packets == 0
    ended = jitter.origin_index <= jitter.end_index < index
    resized = samples != jitter.frame_samples
    if idle or ended or (resized and index > jitter.epochs.highest):
        jitter.origin_index = index
        jitter.frame_samples = samples
        lateness.restart(jitter.lateness, arrival_ms)
    elif not resized:
        lateness.observe(jitter.lateness, arrival_ms - media_ms(jitter, index))


@kernel("int64(uint8[::1])")
def _duration(packet: NDArray[np.uint8]) -> int:
    """Return how many samples a packet holds; 0 for what is no Opus or longer than 60 ms."""
    if not 0 < packet.size <= PACKET_BYTES_MAX:
        return 0
    samples = packet_samples(packet.ctypes.data, packet.size, SAMPLE_RATE)
    return samples if 0 < samples <= DURATION_MAX_SAMPLES else 0


@kernel(signature("void", JITTER, "uint8[::1]", "int64", "int64", "boolean", "int64"))
def push(
    jitter: Record,
    packet: NDArray[np.uint8],
    epoch: int,
    counter: int,
    end: bool,  # noqa: FBT001
    arrival_ns: int,
) -> None:
    """Take a packet of Opus that arrived at *arrival_ns*; *end* closes a talkspurt.

    *packet* is exactly the packet, in any order, of any content. At most 64 wait.
    """
    jitter.received += 1
    samples = _duration(packet)
    if samples == 0:
        jitter.malformed += 1
        return
    arrival_ms = arrival_ns / _NS_PER_MS
    index = _place(jitter, epoch, counter, arrival_ms)
    if index < jitter.next_index or index == NOWHERE:
        _refuse(jitter, index, arrival_ms)
        return
    if index <= jitter.epochs.highest and waiting.find(jitter.waiting, index) >= 0:
        jitter.duplicates += 1
        return
    jitter.late_run = 0
    _observe(jitter, index, samples, arrival_ms)
    jitter.epochs.highest = max(jitter.epochs.highest, index)
    waiting.put(jitter.waiting, index, packet, samples, end)
    if end:
        jitter.end_index = max(jitter.end_index, index)
