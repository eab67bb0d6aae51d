"""The jitter buffer of one speaker: packets in as they come, hops of 5 ms out as they are due.

Kernels over one record of `JITTER`; time is an argument, nothing is read or started here.
Everything that can arrive late, twice, in disorder, never, or as garbage ends in a counter and in
sound; nothing of it raises. The delay is 10 to 80 ms, the frame counted: as early as the network
allows. It follows the late tail of arrivals by stretching time, one pitch period at once, and not
by dropping frames.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from sidetone.audio import HOP_SAMPLES, SAMPLE_RATE, Samples, lateness, waiting
from sidetone.audio.arrivals import forget_places, media_ms, push
from sidetone.audio.codec import init_decoder
from sidetone.audio.decoding import decode_next
from sidetone.audio.jitter_state import (
    BACKLOG_MAX_SAMPLES,
    CONCEAL_SAMPLES,
    FADE_SAMPLES,
    JITTER,
    PAST_SAMPLES,
    SAMPLES_PER_MS,
)
from sidetone.audio.pacing import excess_ms, pace, skip_beginning
from sidetone.native import Record, kernel, signature

__all__ = ["JITTER", "JitterStats", "pull", "push", "reset", "snapshot"]

_SILENCE_DB: Final = -120.0
_NS_PER_MS: Final = 1e6


@dataclass(frozen=True, slots=True)
class JitterStats:
    """What happened to one speaker's frames since they were first heard; see `JITTER`."""

    received: int = 0
    lost: int = 0
    fec_recovered: int = 0
    concealed: int = 0
    concealed_ms: float = 0.0
    late: int = 0
    duplicates: int = 0
    malformed: int = 0
    stretched: int = 0
    stretched_ms: float = 0.0
    resyncs: int = 0
    depth_ms: float = 0.0
    target_ms: float = 0.0
    jitter_ms: float = 0.0
    loss: float = 0.0
    level_db: float = _SILENCE_DB
    playing: bool = False


def snapshot(jitter: Record) -> JitterStats:
    """Copy counters and delays out of a record that a thread may be working on."""
    return JitterStats(**{name: jitter[name].item() for name in JitterStats.__slots__})


@kernel(signature("void", JITTER))
def _tell(jitter: Record) -> None:
    frame_ms = jitter.frame_samples / SAMPLES_PER_MS
    jitter.depth_ms = (jitter.waiting.samples + jitter.ahead_samples) / SAMPLES_PER_MS
    jitter.target_ms = frame_ms + lateness.wait_ms(jitter.lateness, frame_ms)
    jitter.jitter_ms = jitter.lateness.tail_ms
    jitter.loss = jitter.lateness.loss


@kernel(signature("void", JITTER, "uint64"))
def reset(jitter: Record, decoder: int) -> None:
    """Forget everything, and make a fresh decoder in the memory at *decoder*."""
    jitter.received = jitter.lost = jitter.fec_recovered = jitter.concealed = 0
    jitter.late = jitter.duplicates = jitter.malformed = jitter.stretched = jitter.resyncs = 0
    jitter.concealed_ms = jitter.stretched_ms = jitter.loss = 0.0
    jitter.level_db = _SILENCE_DB
    jitter.playing = False
    jitter.decoder = decoder
    init_decoder(decoder, SAMPLE_RATE, 1)
    jitter.faded = False
    jitter.frame_samples = 2 * HOP_SAMPLES
    jitter.invented_samples = 0
    jitter.wish = 0
    jitter.wish_ms = 0.0
    jitter.ahead_samples = 0
    for i in range(PAST_SAMPLES):
        jitter.sound[i] = 0.0
    lateness.reset(jitter.lateness)
    forget_places(jitter)
    _tell(jitter)


@kernel(signature("void", JITTER, "float64"))
def _begin(jitter: Record, now_ms: float) -> None:
    """Start to play when the first packet in store has waited for the target delay."""
    if jitter.waiting.packets == 0:
        return
    first = waiting.first(jitter.waiting)
    frame_ms = jitter.frame_samples / SAMPLES_PER_MS
    due_ms = jitter.lateness.base_ms + media_ms(jitter, first)
    if now_ms >= due_ms + lateness.wait_ms(jitter.lateness, frame_ms):
        jitter.next_index = first
        jitter.started = True
        jitter.invented_samples = 0
        jitter.credit_samples = 0


@kernel(signature("int64", JITTER, "int64"))
def _backlog(jitter: Record, newest: int) -> int:
    backlog_samples: int = (newest - jitter.next_index) * jitter.frame_samples
    return backlog_samples


@kernel(signature("void", JITTER))
def _resync(jitter: Record) -> None:
    """Jump to what is being said now when more than 240 ms have piled up.

    No packet waits beyond the highest index heard: mostly that tells enough without a search.
    """
    if not jitter.started or _backlog(jitter, jitter.epochs.highest) <= BACKLOG_MAX_SAMPLES:
        return
    newest = waiting.last(jitter.waiting)
    if _backlog(jitter, newest) <= BACKLOG_MAX_SAMPLES:
        return
    frame_ms = jitter.frame_samples / SAMPLES_PER_MS
    waiting.drop_before(
        jitter.waiting, newest - int(lateness.wait_ms(jitter.lateness, frame_ms) / frame_ms)
    )
    jitter.next_index = waiting.first(jitter.waiting)
    jitter.ahead_samples = 0
    jitter.faded = True
    jitter.resyncs += 1


@kernel(signature("void", JITTER))
def _decode_hop(jitter: Record) -> None:
    while jitter.started and jitter.ahead_samples < HOP_SAMPLES:
        decode_next(jitter)


@kernel(signature("void", JITTER, "float64", "boolean"))
def _fill(jitter: Record, now_ms: float, begins: bool) -> None:  # noqa: FBT001
    """Have a hop in store, as far as the talkspurt goes; mind the delay where a frame is used."""
    if not jitter.started or jitter.ahead_samples >= HOP_SAMPLES:
        return
    excess, rest = excess_ms(jitter, now_ms), jitter.ahead_samples
    settled = jitter.next_index >= jitter.origin_index
    _decode_hop(jitter)
    if begins:
        skip_beginning(jitter, excess)
        _decode_hop(jitter)
    if settled and jitter.started and jitter.invented_samples == 0:
        pace(jitter, excess, rest)


@kernel("float64(float32[::1])", fast=True)
def _energy(x: Samples) -> float:
    energy = np.float32(0.0)
    for i in range(x.size):
        energy += x[i] * x[i]
    return float(energy)


@kernel(signature("void", JITTER, "float32[::1]"))
def _take(jitter: Record, out: Samples) -> None:
    """Move a hop from the sound in store to *out*, and what was played to the past.

    The last hop of a talkspurt is filled with silence.
    """
    sound = jitter.sound
    samples = min(jitter.ahead_samples, HOP_SAMPLES)
    end = PAST_SAMPLES + jitter.ahead_samples
    for i in range(end, end + HOP_SAMPLES - samples):
        sound[i] = 0.0
    for i in range(HOP_SAMPLES):
        out[i] = sound[PAST_SAMPLES + i]
    if samples > 0 and jitter.faded and jitter.invented_samples == 0:
        jitter.faded = False
        for i in range(HOP_SAMPLES):
            out[i] *= (i + 1) / HOP_SAMPLES
    if samples > 0:
        for i in range(max(end - HOP_SAMPLES, PAST_SAMPLES)):
            sound[i] = sound[i + HOP_SAMPLES]
    jitter.ahead_samples -= samples
    energy = _energy(out)
    jitter.level_db = max(10.0 * math.log10(energy / HOP_SAMPLES + 1e-12), _SILENCE_DB)
    audible = jitter.invented_samples <= CONCEAL_SAMPLES + FADE_SAMPLES
    jitter.playing = samples > 0 and (audible or energy > 0.0)


@kernel(signature("boolean", JITTER, "float32[::1]", "int64"))
def pull(jitter: Record, out: Samples, now_ns: int) -> bool:
    """Fill *out* with the 240 samples due at *now_ns*; False, and silence, between talkspurts."""
    now_ms = now_ns / _NS_PER_MS
    begins = not jitter.started and jitter.ahead_samples == 0
    if begins:
        _begin(jitter, now_ms)
    _resync(jitter)
    _fill(jitter, now_ms, begins)
    _take(jitter, out)
    _tell(jitter)
    return jitter.playing
