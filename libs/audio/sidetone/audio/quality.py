"""Measure mouth to ear: how long after it was spoken a sound is heard. Pure, numpy alone."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from sidetone.audio import FRAME_MS, FRAME_NS, FRAME_SAMPLES, SAMPLE_RATE, Samples
from sidetone.audio.tracks import Track

_NS_PER_MS: Final = 1e6
_GAP_NS: Final = 3 * FRAME_NS
_LEVEL_MIN: Final = 1e-3
_CLEAR: Final = 0.5
_RIVAL_SAMPLES: Final = SAMPLE_RATE // 50
_RIVAL_SHARE: Final = 0.9


def delays_ms(
    spoken: Track,
    heard: Track,
    *,
    window_ms: int = 1000,
    hop_ms: int = 500,
    delay_ms_max: int = 500,
) -> list[float]:
    """Return the delay of every window of *heard* that is clearly found again in *spoken*.

    A window is placed at the median time of its frames. It is left out if its clock jumps, if what
    was spoken around it is not known, if it is silent, or if its best match (normalised
    cross-correlation, 0 to *delay_ms_max*) is weak or has a rival more than 20 ms away. Both
    tracks must carry the same clock.
    """
    spoken_sound, spoken_times = spoken.samples(), spoken.times_ns()
    heard_sound, heard_times = heard.samples(), heard.times_ns()
    window, hop = max(window_ms // FRAME_MS, 1), max(hop_ms // FRAME_MS, 1)
    reach = delay_ms_max // FRAME_MS
    found: list[float] = []
    for at in range(0, len(heard_times) - window + 1, hop):
        heard_ns = _begin_ns(heard_times[at : at + window])
        if heard_ns is None:
            continue
        first = int(np.searchsorted(spoken_times, heard_ns - reach * FRAME_NS)) - 1
        last = first + window + reach + 2
        if first < 0 or last > len(spoken_times):
            continue
        spoken_ns = _begin_ns(spoken_times[first:last])
        if spoken_ns is None:
            continue
        lag = _clear_lag(
            spoken_sound[first * FRAME_SAMPLES : last * FRAME_SAMPLES],
            heard_sound[at * FRAME_SAMPLES : (at + window) * FRAME_SAMPLES],
        )
        if lag is not None:
            found.append((heard_ns - spoken_ns) / _NS_PER_MS - lag * 1000 / SAMPLE_RATE)
    return found


def _begin_ns(times_ns: NDArray[np.int64]) -> float | None:
    """Place a run of frames in time: the median of what each says of the first; None in a gap."""
    if times_ns.size == 0:
        return None
    begins = times_ns - np.arange(times_ns.size) * FRAME_NS
    if np.ptp(begins) > _GAP_NS:
        return None
    return float(np.median(begins))


def _clear_lag(spoken: Samples, heard: Samples) -> int | None:
    """Return where in *spoken* the sound *heard* begins, in samples, if that is beyond doubt."""
    if np.sqrt(np.mean(heard**2)) < _LEVEL_MIN:
        return None
    size = 1 << (spoken.size + heard.size).bit_length()
    spectrum = np.fft.rfft(spoken, size) * np.conj(np.fft.rfft(heard, size))
    cross = np.fft.irfft(spectrum, size)[: spoken.size - heard.size + 1]
    energy = np.cumsum(np.concatenate(([0.0], spoken.astype(np.float64) ** 2)))
    energy = energy[heard.size :] - energy[: energy.size - heard.size]
    floor = 1e-3 * float(energy.max()) + 1e-9
    score = cross / np.sqrt(
        np.maximum(energy, floor) * float(np.sum(heard.astype(np.float64) ** 2))
    )
    best = int(np.argmax(score))
    rivals = np.abs(np.arange(score.size) - best) > _RIVAL_SAMPLES
    rival = float(np.max(score[rivals], initial=0.0))
    if score[best] < _CLEAR or rival > _RIVAL_SHARE * score[best]:
        return None
    return best
