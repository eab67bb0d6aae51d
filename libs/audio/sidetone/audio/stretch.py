"""Play sound a little faster or slower, one pitch period at once, so that nobody hears it.

WSOLA (Verhelst and Roelands 1993): where the sound repeats itself, one period is cut out or played
twice, with a cross-fade of 5 ms. Kernels over float32 samples of 48 kHz, in place; they check no
bounds and allocate nothing.
"""

import math
from typing import Final

from sidetone.audio import Samples
from sidetone.native import kernel

OVERLAP: Final = 240
"""Cross-fade of a stretch, in samples (5 ms)."""
LAG_MIN: Final = 120
LAG_MAX: Final = 600
"""Pitch periods that can be cut out or repeated, in samples: 2.5 to 12.5 ms (80 to 400 Hz)."""

_SIMILAR: Final = 0.6
_QUIET: Final = 1e-6


@kernel("float64(float32[::1], int64, int64, int64)", fast=True)
def _correlation(x: Samples, one: int, other: int, step: int) -> float:
    """Compare one overlap of *x* with another, -1 to 1, by every *step*-th sample."""
    cross = 0.0
    energy = 1e-9
    energy_other = 1e-9
    for i in range(0, OVERLAP, step):
        a = x[one + i]
        b = x[other + i]
        cross += a * b
        energy += a * a
        energy_other += b * b
    return cross / math.sqrt(energy * energy_other)


@kernel("Tuple((int64, float64))(float32[::1], int64, int64, int64)")
def pitch_lag(x: Samples, at: int, lag_max: int, direction: int) -> tuple[int, float]:
    """Find the lag at which ``x[at:]`` repeats itself best, with the correlation (-1 to 1).

    Looks ahead where *direction* is 1 and back where it is -1, coarse in steps of 4, then fine.
    The overlap at *at* and those up to *lag_max* (at least ``LAG_MIN``) away must lie in *x*.
    """
    best, best_score = LAG_MIN, -2.0
    for fine in range(2):
        step = 1 if fine else 4
        low = max(LAG_MIN, best - 3) if fine else LAG_MIN
        high = min(lag_max, best + 3) if fine else lag_max
        best_score = -2.0
        for lag in range(low, high + 1, step):
            score = _correlation(x, at, at + direction * lag, step)
            if score > best_score:
                best, best_score = lag, score
    return best, best_score


@kernel("int64(float32[::1], int64, int64, int64, int64)")
def stretch_lag(x: Samples, at: int, end: int, lag_max: int, direction: int) -> int:
    """Return the lag by which ``x[at:end]`` may be stretched, or 0 where it would be heard.

    Allowed in what repeats itself, and in silence (below -60 dBFS).
    """
    lag_max = min(lag_max, LAG_MAX)
    if lag_max < LAG_MIN or end - at < OVERLAP:
        return 0
    energy = 0.0
    for i in range(at, end):
        energy += x[i] * x[i]
    lag, score = pitch_lag(x, at, lag_max, direction)
    return lag if score >= _SIMILAR or energy < _QUIET * (end - at) else 0


@kernel("int64(float32[::1], int64, int64, int64)")
def accelerate(x: Samples, at: int, end: int, lag_max: int) -> int:
    """Cut one pitch period out of ``x[at:end]`` in place; returns the new end.

    That is *end* itself where a cut would be heard. At least one overlap remains.
    """
    lag = stretch_lag(x, at, end, min(lag_max, end - at - OVERLAP), 1)
    if lag == 0:
        return end
    for i in range(OVERLAP):
        weight = (i + 0.5) / OVERLAP
        x[at + i] = x[at + i] * (1.0 - weight) + x[at + lag + i] * weight
    for i in range(at + OVERLAP, end - lag):
        x[i] = x[i + lag]
    return end - lag


@kernel("int64(float32[::1], int64, int64, int64)")
def expand(x: Samples, at: int, end: int, lag_max: int) -> int:
    """Play the period before *at* once more; returns the new end of ``x[at:]``, or *end*.

    What lies before *at* has been played and does not change: because it is kept, one overlap
    ahead is enough to repeat even the longest period. *x* must have room up to ``end + LAG_MAX``.
    """
    lag = stretch_lag(x, at, end, min(lag_max, at), -1)
    if lag == 0:
        return end
    for i in range(end - 1, at + OVERLAP - lag - 1, -1):
        x[i + lag] = x[i]
    for i in range(OVERLAP - 1, -1, -1):
        weight = (i + 0.5) / OVERLAP
        x[at + i] = x[at + i] * (1.0 - weight) + x[at + i - lag] * weight
    return end + lag
