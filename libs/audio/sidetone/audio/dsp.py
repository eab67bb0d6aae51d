"""Kernels over frames of samples: filter, voice activity, gain, mix, limit and time-stretch.

Every kernel works in place on arrays made once, allocates nothing, and keeps its state in a small
float64 array that the caller owns. Levels are RMS in dB relative to full scale (dBFS).
"""

import math

import numpy as np
from numpy.typing import NDArray

from sidetone.audio import SAMPLE_RATE, Samples
from sidetone.native import kernel

State = NDArray[np.float64]

SILENCE_DB = -120.0
LIMIT = 0.891
"""Peak that automatic gain keeps: -1 dBFS."""
KNEE = 0.7
"""Where the soft limiter begins to bend; below it is a straight wire."""
OVERLAP = 240
"""Cross-fade of a time-stretch, in samples (5 ms)."""
LAG_MIN = 120
LAG_MAX = 600
"""Pitch periods that a time-stretch can cut out or repeat: 2.5 to 12.5 ms (80 to 400 Hz)."""

_FLOOR_MIN_DB = -65.0
_FLOOR_MAX_DB = -40.0
_ABOVE_FLOOR_DB = 7.0
_HANGOVER_FRAMES = 30
_FLOOR_WINDOW_FRAMES = 150
_GAIN_MIN_DB = -12.0
_GAIN_MAX_DB = 18.0
_GAIN_UP_DB = 0.03
_GAIN_DOWN_DB = 0.10
_GAIN_DEAD_ZONE_DB = 3.0
_SIMILAR = 0.6
_QUIET = 1e-6


def high_pass_coefficients(cutoff_hz: float) -> State:
    """Design a 4th-order Butterworth high-pass as two biquads.

    Shape (10,): b0 b1 b2 a1 a2 of each section, a0 = 1. Source: R. Bristow-Johnson, Audio EQ
    Cookbook, with the two Q of a 4th-order Butterworth.
    """
    sections: list[float] = []
    for q in (0.54119610, 1.3065630):
        w = 2 * math.pi * cutoff_hz / SAMPLE_RATE
        alpha, c = math.sin(w) / (2 * q), math.cos(w)
        edge = (1 + c) / 2
        taps = (edge, -(1 + c), edge, -2 * c, 1 - alpha)
        sections += [tap / (1 + alpha) for tap in taps]
    return np.array(sections, np.float64)


@kernel("void(float32[::1], float64[::1], float64[::1])")
def high_pass(x: Samples, coefficients: State, state: State) -> None:
    """Filter *x* in place; *state* has shape (4,), zeros at the start.

    Transposed direct form II in double precision: at 100 Hz of 48 kHz single precision is noisy.
    """
    for section in range(2):
        b0, b1, b2, a1, a2 = coefficients[5 * section : 5 * section + 5]
        z1 = state[2 * section]
        z2 = state[2 * section + 1]
        for i in range(x.size):
            v = x[i]
            y = b0 * v + z1
            z1 = b1 * v - a1 * y + z2 + 1e-20
            z2 = b2 * v - a2 * y
            x[i] = y
        state[2 * section] = z1
        state[2 * section + 1] = z2


@kernel("float64(float32[::1])")
def level_db(x: Samples) -> float:
    """Measure the RMS level in dBFS, at least -120."""
    energy = 0.0
    for i in range(x.size):
        energy += x[i] * x[i]
    return 10.0 * math.log10(energy / x.size + 1e-12)


VOICE_STATE = (-60.0, -60.0, -60.0, 0.0, 0.0)
"""Noise floor now, lowest level of this window and the one before, frames in it, hangover."""


@kernel("boolean(float64, float64[::1])")
def voice_activity(db: float, state: State) -> bool:
    """Say whether a frame of level *db* belongs to speech; *state* starts as ``VOICE_STATE``.

    Speech stands 7 dB above the noise floor, the lowest level of the last 1.5 to 3 s (minimum
    statistics, R. Martin 2001); the floor is believed between -65 and -40 dBFS, so that a long
    note does not become noise. 300 ms of hangover keep the soft ends of words.
    """
    state[2] = min(state[2], db)
    state[3] += 1
    if state[3] >= _FLOOR_WINDOW_FRAMES:
        state[1] = state[2]
        state[2] = db
        state[3] = 0
    state[0] = min(max(min(state[1], state[2]), _FLOOR_MIN_DB), _FLOOR_MAX_DB)
    if db > state[0] + _ABOVE_FLOOR_DB:
        state[4] = _HANGOVER_FRAMES
    elif state[4] > 0:
        state[4] -= 1
    return state[4] > 0


GAIN_STATE = (0.0, 0.0, 1.0)
"""Gain in dB, smoothed power of speech (0: none heard yet), gain of the limiter."""


@kernel("void(float32[::1], float64[::1], boolean, float64)")
def gain_control(x: Samples, state: State, active: bool, target_db: float) -> None:  # noqa: FBT001
    """Bring speech slowly to *target_db* and hold its peaks under -1 dBFS, in place.

    The gain moves only in speech, by 3 dB/s up and 10 dB/s down within -12 to +18 dB, and rests
    while the level is within 3 dB of the target: what sounds right is left alone. The limiter
    attacks within the first millisecond of a frame and lets go over 200 ms.
    """
    energy = 0.0
    for i in range(x.size):
        energy += x[i] * x[i]
    power = energy / x.size
    before = 10.0 ** (state[0] / 20.0)
    if active:
        state[1] = power if state[1] == 0.0 else state[1] + (power - state[1]) * 0.01
        wanted = target_db - 10.0 * math.log10(state[1] + 1e-12)
        wanted = min(max(wanted, _GAIN_MIN_DB), _GAIN_MAX_DB)
        if abs(wanted - state[0]) > _GAIN_DEAD_ZONE_DB:
            state[0] += min(max(wanted - state[0], -_GAIN_DOWN_DB), _GAIN_UP_DB)
    after = 10.0 ** (state[0] / 20.0)
    peak = 0.0
    for i in range(x.size):
        peak = max(peak, abs(x[i]))
    from_gain = before * state[2]
    ceiling = LIMIT / max(peak * after, LIMIT)
    state[2] = ceiling if ceiling < state[2] else state[2] + (ceiling - state[2]) * 0.05
    to_gain = after * state[2]
    ramp = 48 if to_gain < from_gain else x.size
    for i in range(x.size):
        share = min((i + 1) / ramp, 1.0)
        x[i] = min(max(x[i] * (from_gain + (to_gain - from_gain) * share), -1.0), 1.0)


@kernel("void(float32[::1], float32[::1], float64, float64)")
def mix(total: Samples, x: Samples, gain_from: float, gain_to: float) -> None:
    """Add *x* to *total* with a gain that glides over the frame, so that no step is heard."""
    slope = (gain_to - gain_from) / total.size
    for i in range(total.size):
        total[i] += x[i] * (gain_from + slope * (i + 1))


@kernel("void(float32[::1])")
def soft_limit(x: Samples) -> None:
    """Bend everything above 0.7 with a rational knee, in place; never exceeds 1."""
    for i in range(x.size):
        magnitude = abs(x[i])
        if magnitude > KNEE:
            excess = (magnitude - KNEE) / (1.0 - KNEE)
            bent = KNEE + (1.0 - KNEE) * excess / (1.0 + excess)
            x[i] = math.copysign(bent, x[i])


@kernel("Tuple((int64, float64))(float32[::1], int64)")
def pitch_lag(x: Samples, lag_max: int) -> tuple[int, float]:
    """Find the lag at which the start of *x* repeats itself best, with the correlation (-1 to 1).

    Normalised cross-correlation over one overlap, coarse in steps of 4, then fine. *x* needs
    ``OVERLAP + lag_max`` samples; *lag_max* is at least ``LAG_MIN``.
    """
    best, best_score = LAG_MIN, -2.0
    for fine in range(2):
        step = 1 if fine else 4
        low = max(LAG_MIN, best - 3) if fine else LAG_MIN
        high = min(lag_max, best + 3) if fine else lag_max
        best_score = -2.0
        for lag in range(low, high + 1, step):
            cross = 0.0
            energy = 1e-9
            energy_lag = 1e-9
            for i in range(0, OVERLAP, step):
                a = x[i]
                b = x[lag + i]
                cross += a * b
                energy += a * a
                energy_lag += b * b
            score = cross / math.sqrt(energy * energy_lag)
            if score > best_score:
                best, best_score = lag, score
    return best, best_score


@kernel("int64(float32[::1], int64, int64)")
def stretch_lag(x: Samples, n: int, lag_max: int) -> int:
    """Return the lag by which ``x[:n]`` may be stretched, or 0 where it would be heard.

    Allowed in what repeats itself, and in silence.
    """
    lag_max = min(lag_max, LAG_MAX)
    if lag_max < LAG_MIN:
        return 0
    energy = 0.0
    for i in range(n):
        energy += x[i] * x[i]
    lag, score = pitch_lag(x, lag_max)
    return lag if score >= _SIMILAR or energy < _QUIET * n else 0


@kernel("int64(float32[::1], int64, int64)")
def accelerate(x: Samples, n: int, keep: int) -> int:
    """Cut one pitch period out of ``x[:n]`` in place; returns the new length, or *n* if refused.

    At least *keep* samples (not less than ``OVERLAP``) remain. WSOLA (Verhelst and Roelands 1993):
    the cut is cross-faded over 5 ms where the sound matches best.
    """
    lag = stretch_lag(x, n, n - keep)
    if lag == 0:
        return n
    for i in range(OVERLAP):
        weight = (i + 0.5) / OVERLAP
        x[i] = x[i] * (1.0 - weight) + x[i + lag] * weight
    for i in range(OVERLAP, n - lag):
        x[i] = x[i + lag]
    return n - lag


@kernel("int64(float32[::1], int64)")
def expand(x: Samples, n: int) -> int:
    """Repeat one pitch period of ``x[:n]`` in place; returns the new length, or *n* if refused.

    The mirror of ``accelerate``; *x* must have room for ``n + LAG_MAX`` samples.
    """
    lag = stretch_lag(x, n, n - OVERLAP)
    if lag == 0:
        return n
    for i in range(n - 1, OVERLAP - 1, -1):
        x[i + lag] = x[i]
    for i in range(OVERLAP - 1, -1, -1):
        weight = (i + 0.5) / OVERLAP
        x[i + lag] = x[i + lag] * (1.0 - weight) + x[i] * weight
    return n + lag
