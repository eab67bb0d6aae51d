"""From the next packet, or from none, to sound in store: decode, recover, invent."""

import math

import numpy as np

from sidetone.audio import HOP_SAMPLES, SAMPLE_RATE, Samples, lateness, waiting
from sidetone.audio.codec import decode, has_copy, init_decoder
from sidetone.audio.jitter_state import (
    BACKLOG_MAX_SAMPLES,
    CONCEAL_SAMPLES,
    FADE_SAMPLES,
    JITTER,
    PAST_SAMPLES,
    SAMPLES_PER_MS,
)
from sidetone.audio.waiting import PACKETS_MAX
from sidetone.native import Record, kernel, signature

_PEAK_MAX = np.float32(1.5)
_CONCEAL_STEP_SAMPLES = 480


@kernel("boolean(float32[::1], int64, int64)")
def tame(x: Samples, begin: int, end: int) -> bool:
    """Make ``x[begin:end]`` finite and at most 1.5 in magnitude; False if it had NaN in it.

    Everything decoded is looked at, so the first loop is one that vectorises: over a slice, whose
    indices cannot be negative, and with an answer for each sample instead of a branch.
    """
    sound = x[begin:end]
    wild = 0
    for i in range(sound.size):
        wild += not abs(sound[i]) <= _PEAK_MAX
    if wild == 0:
        return True
    number = True
    for i in range(sound.size):
        if math.isnan(sound[i]):
            sound[i] = 0.0
            number = False
        sound[i] = min(max(sound[i], -_PEAK_MAX), _PEAK_MAX)
    return number


@kernel(signature("boolean", JITTER, "uint64", "int64", "int64", "int32"))
def _decode(jitter: Record, packet: int, length: int, samples: int, copy: int) -> bool:
    """Decode *samples* to the end of the sound in store; False if the decoder would not."""
    begin = PAST_SAMPLES + jitter.ahead_samples
    at = jitter.sound[begin:].ctypes.data
    if decode(jitter.decoder, packet, length, at, samples, copy) != samples:
        return False
    if not tame(jitter.sound, begin, begin + samples):
        # What is not a number stays in a decoder for ever.
        init_decoder(jitter.decoder, SAMPLE_RATE, 1)
        jitter.malformed += 1
    jitter.ahead_samples += samples
    return True


@kernel(signature("void", JITTER, "int64"))
def _silence(jitter: Record, samples: int) -> None:
    begin = PAST_SAMPLES + jitter.ahead_samples
    for i in range(begin, begin + samples):
        jitter.sound[i] = 0.0
    jitter.ahead_samples += samples


@kernel(signature("void", JITTER, "int64"))
def _fade_out(jitter: Record, samples: int) -> None:
    begin = PAST_SAMPLES + jitter.ahead_samples - samples
    for i in range(samples):
        over = (jitter.invented_samples + i - CONCEAL_SAMPLES) / FADE_SAMPLES
        jitter.sound[begin + i] *= min(max(1.0 - over, 0.0), 1.0)


@kernel(signature("void", JITTER, "int64"))
def _invent(jitter: Record, samples: int) -> None:
    """Conceal 50 ms, and fade over 50 more; silence after that."""
    if jitter.invented_samples < CONCEAL_SAMPLES + FADE_SAMPLES:
        jitter.concealed += 1
        jitter.concealed_ms += samples / SAMPLES_PER_MS
        if _decode(jitter, 0, 0, samples, 0):
            _fade_out(jitter, samples)
        else:
            _silence(jitter, samples)
    else:
        _silence(jitter, samples)
        jitter.faded = True
    jitter.invented_samples += samples


@kernel(signature("void", JITTER, "int64"))
def _play(jitter: Record, slot: int) -> None:
    """Decode a packet that is there."""
    store = jitter.waiting
    samples = store.durations[slot]
    row = store.opus[slot]
    waiting.free(store, slot)
    lateness.played(jitter.lateness, lost=False)
    jitter.next_index += 1
    jitter.started = store.ends[slot] == 0
    jitter.credit_samples = 0
    if _decode(jitter, row.ctypes.data, store.lengths[slot], samples, 0):
        jitter.invented_samples = 0
    else:
        jitter.malformed += 1
        _invent(jitter, samples)


@kernel(signature("void", JITTER))
def _pass_over(jitter: Record) -> None:
    """Give up a frame that is not there while later ones are.

    What was invented while nothing newer had come stands for it, so that a burst of losses moves
    nothing in time. Else its copy is read from the packet after it, or it is invented.
    """
    jitter.missed[jitter.missed_at] = jitter.next_index
    jitter.missed_at = (jitter.missed_at + 1) % PACKETS_MAX
    jitter.next_index += 1
    jitter.lost += 1
    lateness.played(jitter.lateness, lost=True)
    store = jitter.waiting
    slot = waiting.find(store, jitter.next_index)
    samples = store.durations[slot] if slot >= 0 else jitter.frame_samples
    if jitter.credit_samples >= samples:
        jitter.credit_samples -= samples
        return
    if slot >= 0 and has_copy(store.opus[slot].ctypes.data, store.lengths[slot]) > 0:
        row = store.opus[slot]
        if _decode(jitter, row.ctypes.data, store.lengths[slot], samples, 1):
            jitter.fec_recovered += 1
            jitter.invented_samples = 0
            jitter.credit_samples = 0
            return
    _invent(jitter, samples - jitter.credit_samples)
    jitter.credit_samples = 0


@kernel(signature("void", JITTER))
def decode_next(jitter: Record) -> None:
    """Add the next frame to the sound in store, whatever has become of its packet.

    Where nothing newer has come either, the frame is late, not lost, and keeps its place: what is
    invented then is booked as credit. Opus invents speech in steps of 10 ms (of which a shorter
    call would throw the rest away), in its low-delay mode in steps of 5 ms. The silence
    after that is booked too, up to 240 ms, so that a burst of losses ends where it ought to.
    """
    slot = waiting.find(jitter.waiting, jitter.next_index)
    if slot >= 0:
        _play(jitter, slot)
    elif jitter.waiting.packets > 0:
        _pass_over(jitter)
    elif jitter.invented_samples < BACKLOG_MAX_SAMPLES:
        step = min(max(jitter.frame_samples, HOP_SAMPLES), _CONCEAL_STEP_SAMPLES)
        _invent(jitter, step)
        jitter.credit_samples += step
    else:
        jitter.started = False
