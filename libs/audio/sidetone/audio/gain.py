"""Automatic gain: brings a voice slowly to a target and holds its peaks under -1 dBFS.

Hops of 240 samples (5 ms) in float32; gains in dB are of amplitude, levels are RMS in dBFS.
"""

import math
from typing import Any, Final

import numpy as np

from sidetone.audio import Samples
from sidetone.native import Record, kernel, layout, signature

_single: Final[Any] = np.float32

LIMIT: Final = 0.891
"""Peak that the limiter keeps: -1 dBFS."""

GAIN: Final = layout(gain_db=np.float64, power=np.float64, limiter=np.float64, applied=np.float64)
"""*power* is that of speech, smoothed, 0 before any; *limiter* and *applied* are factors.

A fresh one has 1 in both factors and zeros in the rest.
"""

_GAIN_MIN_DB: Final = -12.0
_GAIN_MAX_DB: Final = 18.0
_UP_DB: Final = 0.015
_DOWN_DB: Final = 0.05
_DEAD_ZONE_DB: Final = 3.0
_POWER_SHARE: Final = 0.005
_RELEASE_SHARE: Final = 0.025
_ATTACK_SAMPLES: Final = 48


@kernel("float64(float32[::1])", fast=True)
def power(x: Samples) -> float:
    """Measure the mean square."""
    energy = _single(0)
    for i in range(x.size):
        energy += x[i] * x[i]
    return energy / x.size


@kernel("float32(float32[::1])", fast=True)
def _peak(x: Samples) -> float:
    peak = _single(0)
    for i in range(x.size):
        peak = max(peak, abs(x[i]))
    return peak


@kernel(signature("void", GAIN, "float32[::1]", "float64"))
def follow(g: Record, x: Samples, target_db: float) -> None:
    """Move the gain towards what brings the speech in *x* to *target_db*.

    By 3 dB/s up and 10 dB/s down within -12 to +18 dB, resting while the level is within 3 dB of
    the target: what sounds right is left alone. To be called in speech only.
    """
    now = power(x)
    g.power = now if g.power == 0.0 else g.power + (now - g.power) * _POWER_SHARE
    wanted_db = target_db - 10.0 * math.log10(g.power + 1e-12)
    wanted_db = min(max(wanted_db, _GAIN_MIN_DB), _GAIN_MAX_DB)
    if abs(wanted_db - g.gain_db) > _DEAD_ZONE_DB:
        g.gain_db += min(max(wanted_db - g.gain_db, -_DOWN_DB), _UP_DB)


@kernel("void(float32[::1], float64, float64, int64)", fast=True)
def _glide(x: Samples, gain_from: float, gain_to: float, samples: int) -> None:
    slope = _single((gain_to - gain_from) / samples)
    start, end = _single(gain_from), _single(gain_to)
    for i in range(samples):
        x[i] = min(max(x[i] * (start + slope * _single(i + 1)), _single(-1)), _single(1))
    for i in range(samples, x.size):
        x[i] = min(max(x[i] * end, _single(-1)), _single(1))


@kernel(signature("void", GAIN, "float32[::1]", "float64"))
def apply(g: Record, x: Samples, volume: float) -> None:
    """Amplify *x* by the gain and by the factor *volume*, limited, in place.

    The limiter attacks within the first millisecond of a hop, in which alone a peak may go up to
    full scale, and lets go over 200 ms. Every other change glides over the hop.
    """
    wanted = 10.0 ** (g.gain_db / 20.0) * volume
    ceiling = LIMIT / max(_peak(x) * wanted, LIMIT)
    g.limiter = (
        ceiling if ceiling < g.limiter else g.limiter + (ceiling - g.limiter) * _RELEASE_SHARE
    )
    gain_from, gain_to = g.applied, wanted * g.limiter
    g.applied = gain_to
    if gain_from != 1.0 or gain_to != 1.0:
        _glide(x, gain_from, gain_to, _ATTACK_SAMPLES if gain_to < gain_from else x.size)
